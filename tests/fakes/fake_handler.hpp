#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "common/net/asio.hpp"
#include "sidecar/server/handler.hpp"
#include "tests/fakes/fake_disk.hpp"

namespace mailid::fakes {

/// Takes every message, remembers it, and answers what the test wants.
class FakeHandler final : public server::Handler {
 public:
  struct Message {
    server::Envelope envelope;
    std::string octets;
  };

  std::uint64_t size_limit = 1'000'000;
  std::uint32_t recipients = 3;
  /// The one sender that is refused.
  std::string refused_sender = "ceo@contoso.test";
  /// The answer to every message.
  smtp::Reply answer = smtp::make_reply(250, "2.0.0", "OK queued as 4711");
  /// What deliver() waits for before it answers; nothing by default.
  std::function<asio::awaitable<void>(std::stop_token app_gone)> wait;
  bool throws = false;

  std::vector<Message> messages;
  mutable std::vector<std::string> turned_away_with;  ///< `REASON: REPLY` of each message that never got here

  std::optional<smtp::Reply> check_sender(const server::Envelope& envelope) const override {
    if (envelope.sender != refused_sender) return std::nullopt;
    return smtp::make_reply(550, "5.7.1", "<" + envelope.sender + "> is not a sender of identity billing");
  }
  void turned_away(const server::Envelope& /*envelope*/, const smtp::Reply& reply,
                   catalogue::Reason reason) const override {
    turned_away_with.push_back(std::string(catalogue::code(reason)) + ": " + smtp::format(reply));
  }
  std::uint64_t message_size_limit() const override { return size_limit; }
  std::uint32_t recipient_limit() const override { return recipients; }

  asio::awaitable<smtp::Reply> deliver(const server::Envelope& envelope, const spool::Body& body,
                                       std::stop_token app_gone) override {
    messages.push_back({envelope, octets_of(body)});
    if (wait) co_await wait(std::move(app_gone));
    if (throws) throw std::logic_error("a bug");
    co_return answer;
  }
};

}  // namespace mailid::fakes
