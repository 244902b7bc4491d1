#include "sidecar/upstream/relay_transport.hpp"

#include <fmt/format.h>
#include <optional>
#include <utility>

#include "sidecar/upstream/pool.hpp"
#include "sidecar/upstream/transaction.hpp"

namespace mailid::upstream {
namespace {

using catalogue::Class;
using catalogue::Reason;
using catalogue::Step;
using delivery::Outcome;
using delivery::Refused;

constexpr std::string_view kAuthFailures = "mail_sidecar_auth_failures_total";

/// Whether the relay's no to a login is about the account, so that saying it again would only lock it.
bool rejects_account(const smtp::LoginFailure& failure) {
  const auto cls = catalogue::entry(failure.failure.reason).cls;
  return failure.step == Step::Auth && failure.reply &&
         (cls == Class::Account || cls == Class::Configuration);
}

Refused refused(const smtp::LoginFailure& failure) {
  return {failure.failure.reason, failure.reply, failure.failure.context, {}};
}

Refused refused(const catalogue::Failure& failure) {
  return {failure.reason, std::nullopt, failure.context, {}};
}

smtp::LoginRequest request_of(const identity::Credentials& credentials) {
  const auto& settings = credentials.settings;
  return {settings.host, settings.port, settings.mechanism, settings.mailbox, credentials.token};
}

}  // namespace

/// All that one identity has at its relay.
struct RelayTransport::Relay {
  Relay(asio::any_io_executor executor, net::Timer& timer, ConnectionGauge& gauge,
        std::chrono::seconds idle_time)
      : pool(std::move(executor), timer, gauge, idle_time) {}

  /// The TLS context for these roots; a new one where they changed.
  net::TlsClientContext& tls_for(const std::string& ca_path, const std::string& ca_bundle) {
    if (!tls || roots != ca_bundle) {
      tls = std::make_shared<net::TlsClientContext>(net::TrustRoots{ca_path, ca_bundle});
      roots = ca_bundle;
    }
    return *tls;
  }

  Pool pool;
  std::shared_ptr<net::TlsClientContext> tls;
  std::string roots;
  std::uint64_t suspended = 0;  ///< the generation whose login was rejected; 0 for none
  Refused why;                  ///< what the relay said then
};

RelayTransport::RelayTransport(asio::any_io_executor executor, net::Resolver& resolver, net::Timer& timer,
                               identity::TokenSource& tokens, base::Metrics& metrics, const base::Log& log,
                               Settings settings)
    : executor_(std::move(executor)),
      resolver_(&resolver),
      timer_(&timer),
      tokens_(&tokens),
      metrics_(&metrics),
      log_(&log),
      settings_(std::move(settings)),
      gauge_(std::make_unique<ConnectionGauge>(metrics)) {
  metrics_->describe_counter(kAuthFailures, "Logins that a relay did not accept, by the code of its reply.");
}

RelayTransport::~RelayTransport() = default;

RelayTransport::Relay& RelayTransport::relay_of(const std::string& identity) {
  auto& relay = relays_[identity];
  if (!relay) {
    relay = std::make_unique<Relay>(executor_, *timer_, *gauge_, settings_.idle_time);
    if (draining_) relay->pool.drain();
  }
  return *relay;
}

asio::awaitable<Outcome> RelayTransport::send(const contract::Identity& identity,
                                              const delivery::Message& message, base::SteadyTime deadline) {
  const std::string name = identity.name;
  const auto known = tokens_->current(name);
  if (!known) co_return refused(known.error());

  auto& relay = relay_of(name);
  const auto slot = co_await relay.pool.acquire((*known)->settings.connections, deadline);
  if (!slot) {
    co_return Refused{
        Reason::DeadlineExceeded,
        std::nullopt,
        fmt::format("all {} connections to the relay were busy", (*known)->settings.connections),
        {}};
  }
  // The token may have changed while others were served.
  const auto now = tokens_->current(name);
  if (!now) co_return refused(now.error());

  if (auto kept = relay.pool.take_idle((*now)->generation)) {
    auto attempt = co_await attempt_on(relay, std::move(*kept), message, deadline);
    if (!attempt.broke) co_return std::move(attempt.outcome);
  }
  auto fresh = co_await log_in(relay, name, deadline);
  if (!fresh) co_return std::move(fresh.error());
  auto attempt = co_await attempt_on(relay, std::move(*fresh), message, deadline);
  co_return std::move(attempt.outcome);
}

asio::awaitable<Attempt> RelayTransport::attempt_on(Relay& relay, Connection connection,
                                                    const delivery::Message& message,
                                                    base::SteadyTime deadline) {
  if (message.envelope->smtputf8 && !connection.session.capabilities.smtputf8) {
    relay.pool.keep(std::move(connection));
    Attempt impossible{Refused{Reason::SmtpUtf8Missing, std::nullopt, {}, {}}, {}};
    co_return impossible;
  }
  const Patience patience{settings_.body_stall, settings_.reply_time};
  auto attempt = co_await transact(connection, message, *timer_, patience, deadline);
  if (attempt.connection == smtp::TransactionDialogue::Connection::MustClose) {
    smtp::quit(connection.session.stream);
  } else {
    relay.pool.keep(std::move(connection));
  }
  co_return attempt;
}

asio::awaitable<base::Expected<Connection, Refused>> RelayTransport::log_in(Relay& relay, std::string name,
                                                                            base::SteadyTime deadline) {
  for (;;) {
    const auto found = tokens_->refresh(name);
    if (!found) co_return base::Unexpected{refused(found.error())};
    const auto credentials = *found;
    if (credentials->generation == relay.suspended) co_return base::Unexpected{relay.why};

    const auto& settings = credentials->settings;
    relay.tls_for(settings_.ca_path, settings.ca_bundle);
    // Kept for as long as the login lasts: another message may bring other roots meanwhile.
    const auto tls = relay.tls;
    auto request = request_of(*credentials);
    auto logged_in = co_await smtp::login(*resolver_, *timer_, *tls, std::move(request), deadline);
    if (logged_in) {
      relay.suspended = 0;
      Connection connection{std::move(*logged_in), credentials->generation};
      co_return connection;
    }
    const auto& failure = logged_in.error();
    note(name, failure);
    if (!rejects_account(failure)) co_return base::Unexpected{refused(failure)};
    relay.suspended = credentials->generation;
    relay.why = refused(failure);
    // Round again: the token may have been rotated while we logged in, and then it deserves its own try.
  }
}

void RelayTransport::note(const std::string& identity, const smtp::LoginFailure& failure) {
  if (failure.step == Step::Auth && failure.reply) {
    metrics_->add(kAuthFailures, {{"code", std::to_string(failure.reply->code)}});
  }
  log_->warning("no login at the relay", {{"identity", identity},
                                          {"step", catalogue::step_name(failure.step)},
                                          {"reason", catalogue::code(failure.failure.reason)},
                                          {"detail", failure.failure.context},
                                          {"reply", failure.reply ? failure.reply->text() : std::string()}});
}

void RelayTransport::drain() {
  draining_ = true;
  for (const auto& [name, relay] : relays_) relay->pool.drain();
}

}  // namespace mailid::upstream
