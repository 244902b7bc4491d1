#include "operator/api/condition.hpp"

#include <gtest/gtest.h>

namespace mailid::api {
namespace {

using std::chrono::milliseconds;

base::Time at(int seconds) {
  return base::Time(milliseconds(1'000LL * seconds));
}

Condition ready(ConditionStatus status, std::string reason = "Because") {
  return {std::string(kReady), status, std::move(reason), "for people", 1, {}};
}

TEST(SetCondition, AddsWhatIsNew) {
  std::vector<Condition> conditions;
  EXPECT_TRUE(set_condition(conditions, ready(ConditionStatus::True), at(5) + milliseconds(300)));
  ASSERT_EQ(conditions.size(), 1U);
  EXPECT_EQ(conditions[0].last_transition_time, at(5));
}

TEST(SetCondition, KeepsTheTransitionTimeWhileTheStatusStays) {
  std::vector<Condition> conditions;
  set_condition(conditions, ready(ConditionStatus::False, "InvalidClient"), at(5));
  EXPECT_TRUE(set_condition(conditions, ready(ConditionStatus::False, "HostNotAllowed"), at(9)));
  EXPECT_EQ(conditions[0].reason, "HostNotAllowed");
  EXPECT_EQ(conditions[0].last_transition_time, at(5));
}

TEST(SetCondition, MovesTheTransitionTimeWithTheStatus) {
  std::vector<Condition> conditions;
  set_condition(conditions, ready(ConditionStatus::False), at(5));
  EXPECT_TRUE(set_condition(conditions, ready(ConditionStatus::True), at(9)));
  EXPECT_EQ(conditions[0].last_transition_time, at(9));
}

TEST(SetCondition, SaysWhenNothingChanged) {
  std::vector<Condition> conditions;
  set_condition(conditions, ready(ConditionStatus::True), at(5));
  EXPECT_FALSE(set_condition(conditions, ready(ConditionStatus::True), at(9)));
}

TEST(SetCondition, CutsTheMessageBetweenCharacters) {
  std::vector<Condition> conditions;
  auto condition = ready(ConditionStatus::True);
  condition.message = std::string(32'767, 'x') + "\u00E9";
  set_condition(conditions, condition, at(5));
  EXPECT_EQ(conditions[0].message, std::string(32'767, 'x'));
}

TEST(FindCondition, IsByType) {
  std::vector<Condition> conditions;
  set_condition(conditions, ready(ConditionStatus::Unknown), at(5));
  ASSERT_NE(find_condition(conditions, kReady), nullptr);
  EXPECT_EQ(find_condition(conditions, kTokenIssued), nullptr);
  EXPECT_FALSE(is_true(conditions, kReady));
  set_condition(conditions, ready(ConditionStatus::True), at(5));
  EXPECT_TRUE(is_true(conditions, kReady));
}

}  // namespace
}  // namespace mailid::api
