#include "operator/reconcile/endpoint_limiter.hpp"

#include <algorithm>

namespace mailid::reconcile {

std::optional<base::Duration> EndpointLimiter::enter(const std::string& endpoint, base::SteadyTime now) {
  forget_idle(now);
  auto& known = endpoints_[endpoint];
  if (now < known.paused_until || known.active >= limits_.at_once) return std::nullopt;
  ++known.active;
  // A bucket told by the one moment when it is full again: each call moves that by an interval.
  known.full_at = std::max(known.full_at, now) + limits_.interval;
  const auto wait = known.full_at - now - limits_.burst * limits_.interval;
  return std::max(std::chrono::ceil<base::Duration>(wait), base::Duration::zero());
}

void EndpointLimiter::leave(const std::string& endpoint) {
  const auto known = endpoints_.find(endpoint);
  if (known != endpoints_.end()) --known->second.active;
}

void EndpointLimiter::pause(const std::string& endpoint, base::SteadyTime now, base::Duration duration) {
  auto& known = endpoints_[endpoint];
  known.paused_until = std::max(known.paused_until, now + std::min(duration, limits_.longest_pause));
}

void EndpointLimiter::forget_idle(base::SteadyTime now) {
  std::erase_if(endpoints_, [now](const auto& item) {
    return item.second.active == 0 && item.second.full_at <= now && item.second.paused_until <= now;
  });
}

}  // namespace mailid::reconcile
