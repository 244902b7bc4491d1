#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "common/base/clock.hpp"
#include "common/catalogue/catalogue.hpp"
#include "common/contract/identity.hpp"
#include "common/smtp/reply.hpp"
#include "sidecar/server/envelope.hpp"
#include "sidecar/spool/body.hpp"

namespace mailid::delivery {

/// A message as it goes out: the envelope, what we put before the app's header, and the app's own octets.
struct Message {
  const server::Envelope* envelope;  ///< not owned; `sender` already resolved (never empty)
  std::string trace_header;          ///< our header fields, complete lines with CRLF, in front of the body
  const spool::Body* body;           ///< not owned
  std::stop_token app_gone;          ///< stopped when nobody waits for an answer any more
};

/// The relay took the message.
struct Accepted {
  smtp::Reply reply;
};

/// Nothing was taken, and why: the relay's own reply where there is one.
struct Refused {
  catalogue::Reason reason;
  std::optional<smtp::Reply> reply;  ///< what the relay said, word for word
  std::string context;               ///< what else is known: the step, the host, the system's words
  std::string recipient;  ///< whom the relay refused, without angle brackets; empty where it was not RCPT
};

/// The final dot was sent and no complete reply came: nobody knows (design.md: ambiguous).
struct Unknown {
  std::string context;
};

/// What became of one attempt.
using Outcome = std::variant<Accepted, Refused, Unknown>;

/// A way out to the provider: one complete message in, one Outcome back. SMTP now, Graph later.
class Transport {
 public:
  virtual ~Transport() = default;

  /// Makes one attempt: waits in order for a connection of this identity until `deadline`, then one
  /// transaction. If a recipient is refused nothing is sent. After the final dot it waits up to ten minutes for
  /// the reply whatever the deadline says, but not for an app that has gone by then. `message` and `identity` must live until the coroutine ends.
  virtual boost::asio::awaitable<Outcome> send(const contract::Identity& identity, const Message& message,
                                               base::SteadyTime deadline) = 0;
};

}  // namespace mailid::delivery
