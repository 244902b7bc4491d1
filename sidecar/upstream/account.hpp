#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/log.hpp"
#include "common/base/metrics.hpp"
#include "common/net/resolver.hpp"
#include "sidecar/delivery/transport.hpp"
#include "sidecar/identity/token_source.hpp"
#include "sidecar/upstream/pool.hpp"

namespace mailid::upstream {

/// Either what was asked for, or what the message is told.
template <class T>
using OrRefused = base::Expected<T, delivery::Refused>;

/// What accounts need of the world; all of it must outlive them.
struct Surroundings {
  net::Resolver* resolver;
  net::Timer* timer;
  identity::TokenSource* tokens;
  base::Metrics* metrics;
  const base::Log* log;
  std::string ca_path;  ///< system roots
};

/// The name of the counter of rejected logins, by the reply's code.
inline constexpr std::string_view kAuthFailures = "mail_sidecar_auth_failures_total";

/// One identity's login at its relay.
///
/// The token is read again before each AUTH. Where the relay's no to AUTH is about the account and the token has
/// changed meanwhile, there is one more AUTH; where it has not, the account is suspended until it does.
class Account {
 public:
  Account(std::string identity, Surroundings surroundings);

  /// What the next message goes out with; refused where there is nothing usable or the account is suspended.
  OrRefused<identity::CredentialsPtr> credentials();
  /// A new connection, logged in by `deadline`.
  asio::awaitable<OrRefused<Connection>> log_in(base::SteadyTime deadline);
  /// Frees the memory that TLS takes, until the next login.
  void release_tls();

 private:
  asio::awaitable<base::Expected<Connection, smtp::LoginFailure>> try_login(
      identity::CredentialsPtr credentials, base::SteadyTime deadline);
  std::shared_ptr<net::TlsClientContext> tls_for(const contract::Identity& settings);
  bool suspended(const identity::Credentials& credentials) const;
  void note(const contract::Identity& settings, const smtp::LoginFailure& failure);

  std::string identity_;
  Surroundings with_;
  // Shared with logins under way, which go on with what they began with.
  std::shared_ptr<net::TlsClientContext> tls_;
  std::string tls_bundle_;
  std::uint64_t suspended_generation_ = 0;
  delivery::Refused suspended_with_{};
  std::optional<std::pair<catalogue::Reason, catalogue::Step>>
      no_connection_;  ///< why and where the last login ended without an answer of the relay
};

}  // namespace mailid::upstream
