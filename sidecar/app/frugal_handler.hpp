#pragma once

#include <functional>
#include <memory>

#include "common/net/timer.hpp"
#include "sidecar/server/handler.hpp"

namespace mailid::app {

/// A Handler that passes everything on to another one and has memory given back after messages: what a login and a
/// handshake need is most of the program, and they are seldom. At most once a second, so that a crowd of messages is
/// not slowed down, and once more after the last of them.
class FrugalHandler final : public server::Handler {
 public:
  /// `handler` and `timer` must outlive this.
  FrugalHandler(server::Handler& handler, net::Timer& timer, std::function<void()> shrink)
      : handler_(&handler), timer_(&timer), shrink_(std::move(shrink)) {}

  std::optional<smtp::Reply> check_sender(const server::Envelope& envelope) const override {
    return handler_->check_sender(envelope);
  }
  void turned_away(const server::Envelope& envelope, const smtp::Reply& reply,
                   catalogue::Reason reason) const override {
    handler_->turned_away(envelope, reply, reason);
  }
  std::uint64_t message_size_limit() const override { return handler_->message_size_limit(); }
  std::uint32_t recipient_limit() const override { return handler_->recipient_limit(); }
  asio::awaitable<smtp::Reply> deliver(const server::Envelope& envelope, const spool::Body& body,
                                       std::stop_token app_gone) override;

 private:
  void shrink_soon();
  void shrink_now();

  server::Handler* handler_;
  net::Timer* timer_;
  std::function<void()> shrink_;
  base::SteadyTime next_ = base::SteadyTime::min();  ///< not before
  std::unique_ptr<net::Timer::Alarm> alarm_;         ///< set while messages have come since the last time
};

}  // namespace mailid::app
