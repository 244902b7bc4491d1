#include "operator/api/condition.hpp"

#include <algorithm>
#include <utility>

namespace mailid::api {
namespace {

// What the schema of metav1.Condition allows.
constexpr std::size_t kLongestReason = 1'024;
constexpr std::size_t kLongestMessage = 32'768;

/// Cuts without leaving half a character of UTF-8 at the end, which no JSON may hold.
void cut(std::string& text, std::size_t most) {
  if (text.size() <= most) return;
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  while (most > 0 && continues(text[most])) --most;
  text.resize(most);
}

}  // namespace

std::string_view to_string(ConditionStatus status) {
  switch (status) {
    case ConditionStatus::True:
      return "True";
    case ConditionStatus::False:
      return "False";
    case ConditionStatus::Unknown:
      break;
  }
  return "Unknown";
}

bool set_condition(std::vector<Condition>& conditions, Condition condition, base::Time now) {
  cut(condition.reason, kLongestReason);
  cut(condition.message, kLongestMessage);
  condition.last_transition_time = std::chrono::floor<std::chrono::seconds>(now);
  const auto known = std::find_if(conditions.begin(), conditions.end(), [&condition](const Condition& each) {
    return each.type == condition.type;
  });
  if (known == conditions.end()) {
    conditions.push_back(std::move(condition));
    return true;
  }
  if (known->status == condition.status) condition.last_transition_time = known->last_transition_time;
  if (*known == condition) return false;
  *known = std::move(condition);
  return true;
}

const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type) {
  const auto found = std::find_if(conditions.begin(), conditions.end(),
                                  [type](const Condition& each) { return each.type == type; });
  return found == conditions.end() ? nullptr : &*found;
}

bool is_true(const std::vector<Condition>& conditions, std::string_view type) {
  const auto* condition = find_condition(conditions, type);
  return condition != nullptr && condition->status == ConditionStatus::True;
}

}  // namespace mailid::api
