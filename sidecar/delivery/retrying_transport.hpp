#pragma once

#include <functional>
#include <map>
#include <string>

#include "common/base/log.hpp"
#include "common/base/random.hpp"
#include "common/net/asio.hpp"
#include "common/net/timer.hpp"
#include "sidecar/delivery/transport.hpp"

namespace mailid::delivery {

/// A Transport that has another one try again while what stops a message is passing.
///
/// What the relay takes, what it refuses for good and what is unknown ends at once. When the deadline leaves no time
/// for another attempt the last refusal is the outcome. A refusal for the rate makes all messages of the identity
/// wait, since each of them would only add to it.
class RetryingTransport final : public Transport {
 public:
  /// All references must outlive this.
  RetryingTransport(Transport& transport, net::Timer& timer, base::Random& random, const base::Log& log)
      : transport_(&transport), timer_(&timer), random_(&random), log_(&log) {}

  asio::awaitable<Outcome> send(const contract::Identity& identity, const Message& message,
                                base::SteadyTime deadline) override;

 private:
  /// An identity that must slow down.
  struct Pause {
    base::SteadyTime until;
    Refused why;
  };

  const Pause* pause_of(const std::string& identity);

  Transport* transport_;
  net::Timer* timer_;
  base::Random* random_;
  const base::Log* log_;
  std::map<std::string, Pause, std::less<>> pauses_;
};

}  // namespace mailid::delivery
