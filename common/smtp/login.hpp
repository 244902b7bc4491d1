#pragma once

#include "common/net/connect.hpp"
#include "common/smtp/login_dialogue.hpp"

namespace mailid::smtp {

/// A connection on which MAIL may be said.
struct LoggedIn {
  net::Stream stream;
  Capabilities capabilities;
};

/// Connects to `request.host`, changes to TLS (verified, or nothing of the credential is sent) and logs in:
/// what the sidecar does before a message and the operator to see whether a token works.
///
/// Everything together must be done by `deadline`. The three references must outlive the connection.
asio::awaitable<base::Expected<LoggedIn, LoginFailure>> login(net::Resolver& resolver, net::Timer& timer,
                                                              net::TlsClientContext& tls,
                                                              LoginRequest request,
                                                              base::SteadyTime deadline);

/// Says QUIT without waiting for the answer, and closes.
void quit(net::Stream& stream) noexcept;

/// The catalogue's words for a fault on the way to the relay.
catalogue::Failure relay_failure(const net::Error& error);

}  // namespace mailid::smtp
