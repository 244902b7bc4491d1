#pragma once

#include <chrono>

#include "common/net/timer.hpp"
#include "common/smtp/transaction_dialogue.hpp"
#include "sidecar/delivery/transport.hpp"
#include "sidecar/upstream/pool.hpp"

namespace mailid::upstream {

/// How long a transaction waits where the message's deadline doesn't count any more.
struct Patience {
  std::chrono::seconds body_stall{60};  ///< for the relay to take more of the body
  std::chrono::minutes reply_time{10};  ///< for the answer to the final dot (RFC 5321 4.5.3.2.6)
};

/// What one transaction came to.
struct Attempt {
  delivery::Outcome outcome;
  smtp::TransactionDialogue::Connection connection;  ///< what may still be done with the connection
  bool broke =
      false;  ///< the connection failed before the final dot: nothing was delivered, and it may be tried anew
};

/// One mail transaction on a logged-in connection: envelope, trace header and body, the answer.
///
/// The body is read from `message.body` piece by piece, so memory doesn't grow with it. From the moment the final
/// dot may have been written every fault is delivery::Unknown. The answer is awaited until `deadline`, and as long
/// as the app is there for up to `patience.reply_time`. References must live until the coroutine ends.
asio::awaitable<Attempt> transact(Connection& connection, const delivery::Message& message, net::Timer& timer,
                                  Patience patience, base::SteadyTime deadline);

}  // namespace mailid::upstream
