#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"

namespace mailid::api {

/// The conditions of a MailIdentity.
inline constexpr std::string_view kReady = "Ready";
inline constexpr std::string_view kTokenIssued = "TokenIssued";
inline constexpr std::string_view kTokenFresh = "TokenFresh";
inline constexpr std::string_view kLoginVerified = "LoginVerified";

enum class ConditionStatus : std::uint8_t { Unknown, True, False };

std::string_view to_string(ConditionStatus status);

/// metav1.Condition.
struct Condition {
  std::string type;
  ConditionStatus status = ConditionStatus::Unknown;
  std::string reason;   ///< a code of the catalogue, or a word of our own such as `TokenIssued`; CamelCase
  std::string message;  ///< for people
  std::int64_t observed_generation = 0;
  base::Time last_transition_time;  ///< whole seconds

  friend bool operator==(const Condition&, const Condition&) = default;
};

/// Adds a condition or replaces the one of its type, as meta.SetStatusCondition does: lastTransitionTime becomes
/// `now` only where the status changes. Message and reason are cut to what the API server takes.
/// @return whether anything changed
bool set_condition(std::vector<Condition>& conditions, Condition condition, base::Time now);

/// The condition of a type, or nullptr.
const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type);

/// Whether the condition is there and True.
bool is_true(const std::vector<Condition>& conditions, std::string_view type);

}  // namespace mailid::api
