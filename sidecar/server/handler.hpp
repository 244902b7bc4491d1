#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "common/catalogue/catalogue.hpp"
#include "common/smtp/reply.hpp"
#include "sidecar/server/envelope.hpp"
#include "sidecar/spool/body.hpp"

namespace mailid::server {

/// What becomes of a message once the app has given all of it. The listener (and later the HTTP API) calls it.
class Handler {
 public:
  virtual ~Handler() = default;

  /// May this sender use any identity here? Asked at MAIL, so that a wrong sender is told at once.
  /// @return nothing where it may, else the reply that the app gets
  virtual std::optional<smtp::Reply> check_sender(const Envelope& envelope) const = 0;
  /// Hears of a message that ended before deliver(): its sender or announced size was refused at MAIL, or what came
  /// behind DATA can't be sent. So that it is logged and counted like every other.
  virtual void turned_away(const Envelope& envelope, const smtp::Reply& reply,
                           catalogue::Reason reason) const = 0;
  /// The largest message that will be taken, in octets, for SIZE (RFC 1870).
  virtual std::uint64_t message_size_limit() const = 0;
  /// Recipients that one message may have; more get 452 4.5.3.
  virtual std::uint32_t recipient_limit() const = 0;

  /// Takes the whole message and says what the app is told: 250 only if it is the relay's problem from now on.
  /// The envelope and body live until the coroutine ends.
  ///
  /// `app_gone` is stopped, on this thread, when the app ends its connection and so never hears the answer. The
  /// message is whole and still to be delivered (an app may say QUIT behind its dot and leave); only waiting on
  /// for an answer that is overdue has lost its use.
  virtual boost::asio::awaitable<smtp::Reply> deliver(const Envelope& envelope, const spool::Body& body,
                                                      std::stop_token app_gone) = 0;
};

}  // namespace mailid::server
