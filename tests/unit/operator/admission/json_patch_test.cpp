#include "operator/admission/json_patch.hpp"

#include <gmock/gmock.h>

namespace mailid::admission {
namespace {

using nlohmann::json;

TEST(PointerStep, EscapesTildeAndSlash) {
  EXPECT_EQ(pointer_step("a/b~c"), "a~1b~0c");
}

/// What an object is after one change.
template <class Change>
json after(const json& object, Change change) {
  PatchBuilder patch;
  change(patch);
  return object.patch(patch.operations());
}

TEST(PatchBuilder, AppendsToAListOrMakesIt) {
  const auto appended = [](const json& object) {
    return after(object, [&](auto& patch) { patch.append(object, "", "list", json::array({1, 2})); });
  };
  EXPECT_EQ(appended(json::parse(R"({"list": [0]})")), json::parse(R"({"list": [0, 1, 2]})"));
  EXPECT_EQ(appended(json::parse(R"({"list": null})")), json::parse(R"({"list": [1, 2]})"));
  EXPECT_EQ(appended(json::object()), json::parse(R"({"list": [1, 2]})"));
}

TEST(PatchBuilder, PutsAnElementInFront) {
  const auto prepended = [](const json& object) {
    return after(object, [&](auto& patch) { patch.prepend(object, "", "list", 1); });
  };
  EXPECT_EQ(prepended(json::parse(R"({"list": [2]})")), json::parse(R"({"list": [1, 2]})"));
  EXPECT_EQ(prepended(json::object()), json::parse(R"({"list": [1]})"));
}

TEST(PatchBuilder, SetsMembersWithAnyName) {
  const auto object = json::parse(R"({"map": {"kept": 1}})");
  const auto changed =
      after(object, [&](auto& patch) { patch.merge(object, "", "map", json::parse(R"({"a/b~c": 2})")); });
  EXPECT_EQ(changed, json::parse(R"({"map": {"kept": 1, "a/b~c": 2}})"));
}

TEST(PatchBuilder, AddsNothingWhereThereIsNothingToAdd) {
  PatchBuilder patch;
  patch.append(json::object(), "", "list", json::array());
  patch.merge(json::object(), "", "map", json::object());
  EXPECT_TRUE(patch.operations().empty());
}

}  // namespace
}  // namespace mailid::admission
