#pragma once

#include <map>
#include <string>

#include "common/base/clock.hpp"

namespace mailid::kube {

/// The numbers of a RateLimiter; client-go's as defaults.
struct RateLimits {
  base::Duration first_delay{5};  ///< of one key
  base::Duration longest_delay{1'000'000};
  int burst = 100;               ///< of all keys together, without a delay
  base::Duration interval{100};  ///< of all keys together, after the burst
};

/// How long to wait before the next try of a key: the longer of the key's own exponential back-off and its place in
/// a token bucket that all keys share.
class RateLimiter {
 public:
  explicit RateLimiter(RateLimits limits) : limits_(limits) {}

  /// The delay of one more try of `key`, counted as such.
  base::Duration next(const std::string& key, base::SteadyTime now);
  void forget(const std::string& key) { failures_.erase(key); }
  /// Tries since forget().
  int failures(const std::string& key) const;

 private:
  base::Duration bucket_delay(base::SteadyTime now);

  RateLimits limits_;
  std::map<std::string, int, std::less<>> failures_;
  base::SteadyTime full_at_;  ///< when the bucket is full again if nobody takes from it
};

}  // namespace mailid::kube
