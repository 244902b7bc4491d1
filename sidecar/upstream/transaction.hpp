#pragma once

#include "common/net/stream.hpp"
#include "common/smtp/capabilities.hpp"
#include "common/smtp/transaction_dialogue.hpp"
#include "sidecar/delivery/transport.hpp"

namespace mailid::upstream {

/// How long a transaction may wait.
struct TransactionTimes {
  base::SteadyTime envelope;  ///< for every reply before the body
  base::Duration body_stall;  ///< for the relay to take a piece of the body
  base::SteadyTime answer;    ///< for the reply to the final dot, in any case
  base::Duration reply_time;  ///< for that reply from the dot on, for as long as the app waits, too
};

/// How one transaction ended.
struct Ended {
  delivery::Outcome outcome;
  smtp::TransactionDialogue::Connection connection;  ///< what may be done with the connection
  /// Nothing was said about the message, the connection (or its login) failed before the final dot: another
  /// connection may do better.
  bool connection_failed = false;
};

/// Makes one transaction on a connection on which MAIL may be said.
///
/// The body goes out in pieces of about 15 KiB, the last one together with the final dot. All that is passed by
/// reference or pointer must live until it ends.
asio::awaitable<Ended> transact(net::Stream& stream, net::Timer& timer,
                                const smtp::Capabilities& capabilities, const delivery::Message& message,
                                bool reset_first, TransactionTimes times);

}  // namespace mailid::upstream
