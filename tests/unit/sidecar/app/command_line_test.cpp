#include "sidecar/app/command_line.hpp"

#include <gmock/gmock.h>

namespace mailid::app {
namespace {

using Action = Command::Action;

base::Expected<Command, std::string> parse(std::vector<std::string_view> arguments) {
  return parse_command(arguments);
}

TEST(CommandLine, ServesWithoutArguments) {
  EXPECT_EQ(parse({})->action, Action::Serve);
}

TEST(CommandLine, ProbesWhetherTheProcessServes) {
  EXPECT_EQ(parse({"probe"})->page, "/healthz");
  EXPECT_EQ(parse({"probe", "startup"})->page, "/healthz");
  EXPECT_EQ(parse({"probe", "live"})->page, "/healthz");
  EXPECT_EQ(parse({"probe", "live"})->action, Action::Probe);
}

TEST(CommandLine, ProbesWhetherItCouldSend) {
  EXPECT_EQ(parse({"probe", "ready"})->page, "/readyz");
}

TEST(CommandLine, ShowsVersionAndHelp) {
  EXPECT_EQ(parse({"--version"})->action, Action::Version);
  EXPECT_EQ(parse({"--help"})->action, Action::Help);
  EXPECT_EQ(parse({"-h"})->action, Action::Help);
}

TEST(CommandLine, RefusesAnythingElse) {
  EXPECT_EQ(parse({"serve"}).error(), "'serve' is no command");
  EXPECT_EQ(parse({"probe", "deep"}).error(), "'probe deep' is no command");
  EXPECT_EQ(parse({"probe", "ready", "now"}).error(), "'probe ready now' is no command");
  EXPECT_EQ(parse({"--version", "x"}).error(), "'--version x' is no command");
}

TEST(CommandLine, SaysHowItIsUsed) {
  EXPECT_THAT(usage(), testing::HasSubstr("MAIL_SIDECAR_IDENTITY"));
}

}  // namespace
}  // namespace mailid::app
