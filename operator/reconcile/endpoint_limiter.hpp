#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/clock.hpp"

namespace mailid::reconcile {

/// What all identities together may ask of token endpoints or of relays. The calls of what hangs take up workers, so
/// they are bounded for one endpoint, for one host whatever the port and path, and for all together.
struct EndpointLimits {
  int at_once = 4;
  int at_once_of_host = 6;  ///< the last two are for endpoints that have none
  int at_once_of_all = 11;
  int burst = 20;                ///< calls without a wait between them
  base::Duration interval{100};  ///< between calls after the burst
  /// How long one identity's Retry-After holds the others back. That identity obeys it in full; for the others it may
  /// not be meant, and nobody's Retry-After may silence everybody's.
  base::Duration longest_pause{60'000};
};

/// Keeps the operator polite to each endpoint, and endpoints that hang from keeping it busy. Not thread-safe.
class EndpointLimiter {
  struct State;

 public:
  /// One call that enter() let begin; ends its turn, also where the coroutine is ended from outside, be that after
  /// the limiter's end.
  class Turn {
   public:
    Turn(Turn&& other) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn();
    /// How long to wait before the call.
    base::Duration wait() const { return wait_; }

   private:
    friend EndpointLimiter;
    Turn(std::shared_ptr<State> state, std::string endpoint, base::Duration wait)
        : state_(std::move(state)), endpoint_(std::move(endpoint)), wait_(wait) {}

    std::shared_ptr<State> state_;  ///< null once moved from
    std::string endpoint_;
    base::Duration wait_;
  };

  explicit EndpointLimiter(EndpointLimits limits = {});

  /// May a call begin? Else nothing: come back later.
  /// @param endpoint  a URL, or `HOST:PORT`
  std::optional<Turn> enter(const std::string& endpoint, base::SteadyTime now);
  /// The endpoint asked for a pause.
  void pause(const std::string& endpoint, base::SteadyTime now, base::Duration duration);

 private:
  std::shared_ptr<State> state_;
};

}  // namespace mailid::reconcile
