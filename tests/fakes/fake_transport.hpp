#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/net/asio.hpp"
#include "common/net/timer.hpp"
#include "sidecar/delivery/transport.hpp"
#include "tests/fakes/fake_disk.hpp"

namespace mailid::fakes {

/// A way out whose outcomes a test writes down beforehand; what it was given is kept.
class FakeTransport final : public delivery::Transport {
 public:
  /// One call of send(), with the octets as they would have gone out.
  struct Sent {
    std::string identity;
    std::string sender;
    std::vector<std::string> recipients;
    std::string octets;
    base::SteadyTime deadline;
  };

  /// The outcome of one attempt, in their order; what comes after the last one is accepted.
  void then(delivery::Outcome outcome) { outcomes_.push_back(std::move(outcome)); }
  /// What the relay says no with.
  void then_refuse(catalogue::Reason reason, int code, std::string enhanced, std::string text) {
    then(delivery::Refused{reason, smtp::make_reply(code, enhanced, text), {}, {}});
  }
  /// Attempts wait from now on until the gate is woken.
  void hold(net::Wakeup& gate, net::Timer& timer) {
    gate_ = &gate;
    timer_ = &timer;
  }

  const std::vector<Sent>& sent() const { return sent_; }

  asio::awaitable<delivery::Outcome> send(const contract::Identity& identity,
                                          const delivery::Message& message,
                                          base::SteadyTime deadline) override {
    Sent sent;
    sent.identity = identity.name;
    sent.sender = message.envelope->sender;
    sent.recipients = message.envelope->recipients;
    sent.octets = message.trace_header + fakes::octets_of(*message.body);
    sent.deadline = deadline;
    sent_.push_back(std::move(sent));
    if (gate_) {
      const auto never = base::SteadyTime::max();
      co_await gate_->wait(*timer_, never);
    }
    if (outcomes_.empty()) {
      delivery::Accepted accepted;
      accepted.reply = smtp::make_reply(250, "2.0.0", "Ok: queued as 4X7");
      co_return accepted;
    }
    auto outcome = std::move(outcomes_.front());
    outcomes_.pop_front();
    co_return outcome;
  }

 private:
  std::deque<delivery::Outcome> outcomes_;
  std::vector<Sent> sent_;
  net::Wakeup* gate_ = nullptr;
  net::Timer* timer_ = nullptr;
};

}  // namespace mailid::fakes
