#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "common/base/clock.hpp"

namespace mailid::reconcile {

/// What all identities together may ask of one token endpoint.
struct EndpointLimits {
  int at_once = 4;               ///< an endpoint that hangs takes up no more workers than this
  int burst = 20;                ///< calls without a wait between them
  base::Duration interval{100};  ///< between calls after the burst
  /// How long one identity's Retry-After holds the others back. That identity obeys it in full; for the others it may
  /// not be meant, and nobody's Retry-After may silence everybody's.
  base::Duration longest_pause{60'000};
};

/// Keeps the operator polite to each token endpoint. Not thread-safe.
class EndpointLimiter {
 public:
  explicit EndpointLimiter(EndpointLimits limits = {}) : limits_(limits) {}

  /// May a call begin? Then how long to wait before it (to be ended by leave(), see EndpointTurn), else nothing: come back later.
  std::optional<base::Duration> enter(const std::string& endpoint, base::SteadyTime now);
  void leave(const std::string& endpoint);
  /// The endpoint asked for a pause.
  void pause(const std::string& endpoint, base::SteadyTime now, base::Duration duration);

 private:
  struct Endpoint {
    int active = 0;
    base::SteadyTime full_at;  ///< when the whole burst is there again
    base::SteadyTime paused_until;
  };

  void forget_idle(base::SteadyTime now);

  EndpointLimits limits_;
  std::map<std::string, Endpoint, std::less<>> endpoints_;
};

/// One call that enter() let begin: ends its turn, also where the coroutine is ended from outside.
class EndpointTurn {
 public:
  /// `limiter` must outlive it.
  EndpointTurn(EndpointLimiter& limiter, std::string endpoint)
      : limiter_(&limiter), endpoint_(std::move(endpoint)) {}
  EndpointTurn(const EndpointTurn&) = delete;
  EndpointTurn& operator=(const EndpointTurn&) = delete;
  ~EndpointTurn() { limiter_->leave(endpoint_); }

 private:
  EndpointLimiter* limiter_;
  std::string endpoint_;
};

}  // namespace mailid::reconcile
