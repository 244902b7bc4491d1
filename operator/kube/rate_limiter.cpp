#include "operator/kube/rate_limiter.hpp"

#include <algorithm>

namespace mailid::kube {

base::Duration RateLimiter::next(const std::string& key, base::SteadyTime now) {
  auto& failures = failures_[key];
  auto delay = limits_.first_delay;
  for (int i = 0; i < failures && delay < limits_.longest_delay; ++i) delay *= 2;
  ++failures;
  return std::max(std::min(delay, limits_.longest_delay), bucket_delay(now));
}

int RateLimiter::failures(const std::string& key) const {
  const auto found = failures_.find(key);
  return found == failures_.end() ? 0 : found->second;
}

base::Duration RateLimiter::bucket_delay(base::SteadyTime now) {
  full_at_ = std::max(full_at_, now) + limits_.interval;
  const auto missing = std::chrono::ceil<base::Duration>(full_at_ - now) - limits_.interval * limits_.burst;
  return std::max(missing, base::Duration::zero());
}

}  // namespace mailid::kube
