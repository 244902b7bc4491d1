#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "common/base/log.hpp"
#include "common/base/metrics.hpp"
#include "common/net/resolver.hpp"
#include "common/net/timer.hpp"
#include "sidecar/delivery/transport.hpp"
#include "sidecar/identity/token_source.hpp"

namespace mailid::upstream {

struct Connection;
struct Ended;

/// Times and places that are the same for every identity.
struct Settings {
  std::string ca_path = "/etc/ssl/certs";  ///< system roots: a hashed folder or a PEM file
  std::chrono::seconds idle_time{45};      ///< a connection is kept this long for the next message
  std::chrono::seconds body_stall{60};     ///< a relay that takes no octet of the body for so long is gone
  std::chrono::minutes reply_time{10};     ///< wait for the answer to the final dot (RFC 5321 4.5.3.2.6)
};

/// Sends messages through the identities' relays: delivery's Transport over SMTP.
///
/// Per identity a pool of at most `limits.connections` connections, kept between messages; who finds none
/// waits in order. On a connection that was used before, a failure before the final dot is tried once more on
/// a fresh one. A login that the relay rejects is tried again only if the token has changed; until it
/// changes the identity is suspended and every message gets the relay's own words without a connection.
///
/// Metrics, described here: `mail_sidecar_upstream_connections{state=in_use|idle}` and
/// `mail_sidecar_auth_failures_total{code}`.
class RelayTransport final : public delivery::Transport {
 public:
  /// All references must outlive this, and this every send().
  RelayTransport(asio::any_io_executor executor, net::Resolver& resolver, net::Timer& timer,
                 identity::TokenSource& tokens, base::Metrics& metrics, const base::Log& log,
                 Settings settings = {});
  ~RelayTransport() override;

  /// Host, token and limits are those that the token source has for `identity.name`, so that all are of one
  /// generation.
  asio::awaitable<delivery::Outcome> send(const contract::Identity& identity,
                                          const delivery::Message& message,
                                          base::SteadyTime deadline) override;

  /// Says QUIT on every idle connection and keeps none from now on: at SIGTERM.
  void drain();

 private:
  struct Relay;

  std::shared_ptr<Relay> relay_of(const std::string& identity);
  asio::awaitable<Ended> send_on(std::shared_ptr<Relay> relay, Connection connection,
                                 const delivery::Message& message, base::SteadyTime envelope_by,
                                 base::SteadyTime deadline);
  void count();

  asio::any_io_executor executor_;
  net::Resolver* resolver_;
  net::Timer* timer_;
  identity::TokenSource* tokens_;
  base::Metrics* metrics_;
  const base::Log* log_;
  Settings settings_;
  std::map<std::string, std::shared_ptr<Relay>, std::less<>> relays_;  ///< by the identity's name
  bool draining_ = false;
};

}  // namespace mailid::upstream
