#include "sidecar/delivery/retrying_transport.hpp"

#include <optional>

#include "sidecar/delivery/retry_policy.hpp"

namespace mailid::delivery {

const RetryingTransport::Pause* RetryingTransport::pause_of(const std::string& identity) {
  const auto pause = pauses_.find(identity);
  if (pause == pauses_.end()) return nullptr;
  if (pause->second.until > timer_->now()) return &pause->second;
  pauses_.erase(pause);
  return nullptr;
}

asio::awaitable<Outcome> RetryingTransport::send(const contract::Identity& identity, const Message& message,
                                                 base::SteadyTime deadline) {
  const std::string name = identity.name;
  std::optional<Refused> last_words;
  for (unsigned attempts = 1;; ++attempts) {
    while (const auto* pause = pause_of(name)) {
      if (pause->until >= deadline) co_return pause->why;
      const auto until = pause->until;
      co_await timer_->wait_until(until);
    }
    auto outcome = co_await transport_->send(identity, message, deadline);
    const auto* refused = std::get_if<Refused>(&outcome);
    if (!refused) co_return outcome;

    // Time that ran out tells less than what went wrong before, and what the relay said tells most.
    if (!refused->reply && last_words && timer_->now() >= deadline) co_return *last_words;
    if (refused->reply || !last_words || !last_words->reply) last_words = *refused;
    const auto again = when_again(refused->reason);
    if (again == Again::Never || (again == Again::Once && attempts > 1)) co_return outcome;
    const auto wait = back_off(again, attempts, *random_);
    const auto next = timer_->now() + wait;
    if (again == Again::Slowly) pauses_.insert_or_assign(name, Pause{next, *refused});
    if (next >= deadline) co_return outcome;
    log_->debug("will be tried again", {{"identity", name},
                                        {"reason", catalogue::code(refused->reason)},
                                        {"attempt", attempts},
                                        {"wait_ms", wait.count()}});
    co_await timer_->wait_until(next);
  }
}

}  // namespace mailid::delivery
