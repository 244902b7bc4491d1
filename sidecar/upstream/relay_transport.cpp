#include "sidecar/upstream/relay_transport.hpp"

#include <utility>

#include "sidecar/upstream/account.hpp"
#include "sidecar/upstream/pool.hpp"
#include "sidecar/upstream/transaction.hpp"

namespace mailid::upstream {
namespace {

constexpr std::string_view kConnections = "mail_sidecar_upstream_connections";

using After = smtp::TransactionDialogue::Connection;

}  // namespace

/// One identity's way out. Shared with the messages that are under way.
struct RelayTransport::Relay {
  Account account;
  std::shared_ptr<Pool> pool;
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
      settings_(std::move(settings)) {
  metrics_->describe_gauge(kConnections, "Connections to the relay, by what they do.");
  metrics_->describe_counter(kAuthFailures, "Logins that the relay refused, by the code of its reply.");
  count();
}

RelayTransport::~RelayTransport() {
  for (const auto& [name, relay] : relays_) relay->pool->retire();
}

asio::awaitable<delivery::Outcome> RelayTransport::send(const contract::Identity& identity,
                                                        const delivery::Message& message,
                                                        base::SteadyTime deadline) {
  const auto relay = relay_of(identity.name);
  auto credentials = relay->account.credentials();
  if (!credentials) co_return std::move(credentials.error());

  const auto limit = (*credentials)->settings.connections;
  const auto place = co_await relay->pool->wait_for_place(limit, deadline);
  if (!place) {
    co_return delivery::Refused{
        catalogue::Reason::DeadlineExceeded,
        std::nullopt,
        "all " + std::to_string(limit) + " connections to " + (*credentials)->settings.host + " were in use",
        {}};
  }
  // While this message waited the token may have changed, or somebody else's login been rejected.
  credentials = relay->account.credentials();
  if (!credentials) co_return std::move(credentials.error());

  auto kept = relay->pool->take((*credentials)->generation);
  if (kept) {
    // Half of the time, so that some is left for a fresh connection where this one is silently dead.
    const auto now = timer_->now();
    auto ended = co_await send_on(relay, std::move(*kept), message, now + (deadline - now) / 2, deadline);
    if (!ended.connection_failed || timer_->now() >= deadline) co_return std::move(ended.outcome);
    log_->debug("a kept connection has failed, trying a fresh one", {{"identity", identity.name}});
  }
  relay->pool->make_room();
  auto fresh = co_await relay->account.log_in(deadline);
  if (!fresh) co_return std::move(fresh.error());
  auto ended = co_await send_on(relay, std::move(*fresh), message, deadline, deadline);
  co_return std::move(ended.outcome);
}

asio::awaitable<Ended> RelayTransport::send_on(std::shared_ptr<Relay> relay, Connection connection,
                                               const delivery::Message& message, base::SteadyTime envelope_by,
                                               base::SteadyTime deadline) {
  const TransactionTimes times{envelope_by, settings_.body_stall, deadline, settings_.reply_time};
  auto& session = connection.session;
  auto ended = co_await transact(session.stream, *timer_, session.capabilities, message,
                                 connection.needs_reset, times);
  if (ended.connection == After::MustClose) {
    session.stream.close();
  } else {
    connection.needs_reset = ended.connection == After::NeedsReset;
    relay->pool->keep(std::move(connection));
  }
  co_return ended;
}

void RelayTransport::drain() {
  draining_ = true;
  for (const auto& [name, relay] : relays_) relay->pool->drain();
}

std::shared_ptr<RelayTransport::Relay> RelayTransport::relay_of(const std::string& identity) {
  auto& relay = relays_[identity];
  if (!relay) {
    Surroundings with{resolver_, timer_, tokens_, metrics_, log_, settings_.ca_path};
    auto pool = std::make_shared<Pool>(executor_, *timer_, settings_.idle_time, [this] { count(); });
    if (draining_) pool->drain();
    relay = std::make_shared<Relay>(Relay{Account(identity, std::move(with)), std::move(pool)});
  }
  return relay;
}

void RelayTransport::count() {
  std::size_t in_use = 0;
  std::size_t idle = 0;
  for (const auto& [name, relay] : relays_) {
    if (!relay) continue;
    in_use += relay->pool->in_use();
    idle += relay->pool->idle();
    if (relay->pool->in_use() + relay->pool->idle() == 0) relay->account.release_tls();
  }
  metrics_->set(kConnections, {{"state", "in_use"}}, static_cast<double>(in_use));
  metrics_->set(kConnections, {{"state", "idle"}}, static_cast<double>(idle));
}

}  // namespace mailid::upstream
