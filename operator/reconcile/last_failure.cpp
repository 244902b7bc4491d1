#include "operator/reconcile/last_failure.hpp"

#include <algorithm>

namespace mailid::reconcile {
namespace {

using catalogue::Reason;
using std::chrono::seconds;

bool only_a_change_helps(Reason reason) {
  return reason == Reason::InvalidSpec || reason == Reason::HostNotAllowed;
}

}  // namespace

api::LastFailure noted(const Observation& seen, const FailedTry& failed) {
  const auto& before = seen.last_failure;
  const bool again = before && before->attempt == failed.attempt;
  const auto& known = catalogue::entry(failed.failure.reason);

  api::LastFailure failure;
  failure.time = std::chrono::floor<seconds>(seen.now);
  failure.count = again ? before->count + 1 : 1;
  failure.reason = known.code;
  failure.attempt = failed.attempt;
  if (only_a_change_helps(failed.failure.reason)) return failure;

  auto delay = retry_delay(failed.kind, known.cls, failure.count, seen.hash);
  if (failed.retry_after) delay = std::max<base::Duration>(delay, *failed.retry_after);
  failure.retry_time = std::chrono::ceil<seconds>(seen.now + delay);
  return failure;
}

std::optional<Reason> reason_of(std::string_view code) {
  for (const auto& entry : catalogue::entries()) {
    if (entry.code == code) return entry.reason;
  }
  return std::nullopt;
}

}  // namespace mailid::reconcile
