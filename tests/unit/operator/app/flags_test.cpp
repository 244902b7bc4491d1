#include "operator/app/flags.hpp"

#include <gmock/gmock.h>

namespace mailid::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Flag kKnown[] = {{"port", "where to listen", "9443"},
                           {"name", "who we are", "", Flag::Need::Required}};

base::Expected<Flags, std::string> parse(std::vector<std::string_view> arguments) {
  return Flags::parse(kKnown, arguments);
}

std::string trouble(std::vector<std::string_view> arguments) {
  const auto flags = parse(std::move(arguments));
  return flags ? "" : flags.error();
}

TEST(Flags, TakeAValueWithEqualsOrAsTheNextArgument) {
  EXPECT_EQ(parse({"--name=a"})->text("name"), "a");
  EXPECT_EQ(parse({"--name", "a"})->text("name"), "a");
}

TEST(Flags, HaveTheirFallback) {
  EXPECT_EQ(parse({"--name=a"})->port("port"), 9443);
}

TEST(Flags, SplitAListAtCommas) {
  EXPECT_THAT(parse({"--name=a,,b"})->texts("name"), ElementsAre("a", "b"));
}

TEST(Flags, HaveNoPortWhereTheTextIsNone) {
  for (const char* text : {"", "x", "1x", "65536", "-1"}) {
    const auto argument = std::string("--port=") + text;
    EXPECT_EQ(parse({"--name=a", argument})->port("port"), std::nullopt) << text;
  }
}

TEST(Flags, RefuseWhatIsWrong) {
  EXPECT_EQ(trouble({"name"}), "name is not a flag");
  EXPECT_EQ(trouble({"--nmae=a"}), "--nmae is not known");
  EXPECT_EQ(trouble({"--name"}), "--name needs a value");
  EXPECT_EQ(trouble({"--name=a", "--name=b"}), "--name is given twice");
  EXPECT_EQ(trouble({}), "--name is needed");
}

TEST(Usage, NamesEveryFlagWithItsFallback) {
  EXPECT_THAT(usage(kKnown), HasSubstr("--port"));
  EXPECT_THAT(usage(kKnown), HasSubstr("where to listen (9443)"));
}

}  // namespace
}  // namespace mailid::app
