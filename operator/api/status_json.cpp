#include "operator/api/status_json.hpp"

#include <fmt/format.h>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/encoding.hpp"
#include "common/json/object.hpp"

namespace mailid::api {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostConditions = 32;
constexpr std::size_t kLongestText = 65'536;

std::optional<base::Time> read_time(const json::Object& object, const char* name) {
  const auto text = object.text(name);
  if (!text) return std::nullopt;
  const auto time = base::parse_rfc3339(*text);
  if (!time) object.complain(name, "must be a time of RFC 3339");
  return time;
}

ConditionStatus read_condition_status(const json::Object& object) {
  const auto text = object.required_text("status");
  if (text == to_string(ConditionStatus::True)) return ConditionStatus::True;
  if (text == to_string(ConditionStatus::False)) return ConditionStatus::False;
  if (text != to_string(ConditionStatus::Unknown))
    object.complain("status", "must be True, False or Unknown");
  return ConditionStatus::Unknown;
}

Condition read_condition(const json::Object& object) {
  Condition condition;
  condition.type = object.required_text("type");
  condition.status = read_condition_status(object);
  condition.reason = object.text("reason").value_or("");
  condition.message = object.text("message", kLongestText).value_or("");
  condition.observed_generation = object.integer("observedGeneration").value_or(0);
  condition.last_transition_time = read_time(object, "lastTransitionTime").value_or(base::Time{});
  return condition;
}

TokenStatus read_token(const json::Object& object) {
  TokenStatus token;
  token.secret_name = object.text("secretName").value_or("");
  token.issue_time = read_time(object, "issueTime");
  token.expiration_time = read_time(object, "expirationTime");
  token.next_refresh_time = read_time(object, "nextRefreshTime");
  return token;
}

LastFailure read_last_failure(const json::Object& object) {
  LastFailure failure;
  failure.time = read_time(object, "time").value_or(base::Time{});
  const auto count = object.integer("count", 0, std::numeric_limits<std::int32_t>::max()).value_or(0);
  failure.count = static_cast<std::uint32_t>(count);
  failure.reason = object.text("reason").value_or("");
  failure.retry_time = read_time(object, "retryTime");
  failure.attempt = object.text("attempt").value_or("");
  return failure;
}

void put_time(ordered_json& object, const char* name, const std::optional<base::Time>& time) {
  if (time) object[name] = base::format_rfc3339(*time);
}

ordered_json to_json(const Condition& condition) {
  ordered_json object;
  object["type"] = condition.type;
  object["status"] = to_string(condition.status);
  object["reason"] = condition.reason;
  object["message"] = condition.message;
  object["observedGeneration"] = condition.observed_generation;
  object["lastTransitionTime"] = base::format_rfc3339(condition.last_transition_time);
  return object;
}

ordered_json to_json(const TokenStatus& token) {
  ordered_json object;
  object["secretName"] = token.secret_name;
  put_time(object, "issueTime", token.issue_time);
  put_time(object, "expirationTime", token.expiration_time);
  put_time(object, "nextRefreshTime", token.next_refresh_time);
  return object;
}

ordered_json to_json(const LastFailure& failure) {
  ordered_json object;
  object["time"] = base::format_rfc3339(failure.time);
  object["count"] = failure.count;
  object["reason"] = failure.reason;
  put_time(object, "retryTime", failure.retry_time);
  if (!failure.attempt.empty()) object["attempt"] = failure.attempt;
  return object;
}

}  // namespace

std::optional<Status> read_status(const nlohmann::json& value) {
  std::vector<std::string> wrong;
  const json::Object object(value, "status", wrong);
  Status status;
  status.observed_generation = object.integer("observedGeneration").value_or(0);
  status.provider = object.text("provider").value_or("");
  if (object.has("token")) status.token = read_token(object.object("token"));
  if (object.has("lastFailure")) status.last_failure = read_last_failure(object.object("lastFailure"));

  const auto* conditions = object.member("conditions");
  if (conditions != nullptr && conditions->is_array() && conditions->size() <= kMostConditions) {
    for (const auto& each : *conditions) {
      status.conditions.push_back(read_condition(json::Object(each, "status.conditions", wrong)));
    }
  } else if (conditions != nullptr) {
    object.complain("conditions", "must be a short list");
  }
  return wrong.empty() ? std::optional(std::move(status)) : std::nullopt;
}

std::string status_to_json(const Metadata& metadata, const Status& status) {
  ordered_json object;
  object["apiVersion"] = kApiVersion;
  object["kind"] = kKind;
  object["metadata"] = {{"name", metadata.name},
                        {"namespace", metadata.name_space},
                        {"uid", metadata.uid},
                        {"resourceVersion", metadata.resource_version}};
  auto& body = object["status"];
  body["observedGeneration"] = status.observed_generation;
  if (!status.provider.empty()) body["provider"] = status.provider;
  body["conditions"] = ordered_json::array();
  for (const auto& condition : status.conditions) body["conditions"].push_back(to_json(condition));
  if (status.token) body["token"] = to_json(*status.token);
  if (status.last_failure) body["lastFailure"] = to_json(*status.last_failure);
  // A relay's words may be in a message, and they need not be UTF-8.
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace mailid::api
