#include "common/json/object.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mailid::json {
namespace {

std::string list_of(std::size_t count, std::string_view value) {
  std::string text = "[";
  for (std::size_t i = 0; i < count; ++i) text.append(i == 0 ? "" : ",").append(value);
  return text += ']';
}

TEST(JsonParse, GivesWhatTheTextSays) {
  const auto value = parse(R"({"a":[1,-2,0.5,null,true,{"b":"c"},[]],"d":{},"a2":"","d":{"twice":1}})");
  ASSERT_TRUE(value);
  const nlohmann::json expected = {{"a", {1, -2, 0.5, nullptr, true, {{"b", "c"}}, nlohmann::json::array()}},
                                   {"d", {{"twice", 1}}},
                                   {"a2", ""}};
  EXPECT_EQ(*value, expected);
  EXPECT_EQ(parse("7"), nlohmann::json(7));
}

TEST(JsonParse, TakesNothingThatIsNotJson) {
  for (const auto* text : {"", "{", "{]", "[1,]", R"({"a"})", "{} {}", "nul", "\"\xff\"", "[\"\x01\"]"}) {
    EXPECT_FALSE(parse(text)) << text;
  }
}

// With many neighbours, too, each object that ends costs no more than itself.
TEST(JsonParse, NeedsNoLongerForManyObjectsThanForTheirText) {
  const auto list = parse(list_of(100'000, "{}"));
  ASSERT_TRUE(list);
  EXPECT_EQ(list->size(), 100'000U);

  std::string members = "{";
  for (int i = 0; i < 80'000; ++i)
    members.append(i == 0 ? "" : ",").append("\"" + std::to_string(i) + "\":{}");
  const auto object = parse(members + "}");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->size(), 80'000U);
}

TEST(JsonParse, TakesNoTextWhoseValueWouldBeFarLarger) {
  for (const auto* value : {"{}", "[]", "1", "\"\"", R"({"a":1})"}) {
    EXPECT_FALSE(parse(list_of(kMaxParts, value))) << value;
  }
}

TEST(JsonParse, TakesNoTextThatIsNestedTooDeep) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(parse(nested(kMaxDepth)));
  EXPECT_FALSE(parse(nested(kMaxDepth + 1)));
  EXPECT_FALSE(parse(std::string(3'000'000, '[')));
}

}  // namespace
}  // namespace mailid::json
