#include "sidecar/app/sidecar.hpp"

#include <chrono>
#include <unistd.h>

#include "common/contract/sidecar_environment.hpp"
#include "sidecar/app/footprint.hpp"

namespace mailid::app {
namespace {

constexpr std::string_view kTokenAge = "mail_sidecar_token_age_seconds";

// Together well below the 30 seconds after which the kubelet kills.
constexpr base::Duration kQuiet{300};
constexpr base::Duration kServeOn{20'000};
constexpr base::Duration kGrace{6'000};

server::Limits limits_of(const Configuration& configuration) {
  server::Limits limits;
  limits.accept_auth = configuration.accept_auth;
  return limits;
}

upstream::Settings settings_of(const Configuration& configuration) {
  upstream::Settings settings;
  settings.ca_path = configuration.ca_path;
  return settings;
}

/// The admin port is for a kubelet and a scraper, not for a crowd.
http::ServerLimits admin_limits() {
  http::ServerLimits limits;
  limits.request = {4096, 1024};
  limits.connections = 32;
  return limits;
}

}  // namespace

Sidecar::Sidecar(asio::any_io_executor executor, const Configuration& configuration, const base::Clock& clock,
                 const base::Log& log)
    : configuration_(configuration),
      clock_(&clock),
      log_(&log),
      timer_(executor),
      resolver_(executor, timer_),
      identities_(configuration.identity_dir, clock, log),
      transport_(executor, resolver_, timer_, identities_, metrics_, log, settings_of(configuration)),
      delivery_(configuration.identities, {identities_, transport_, timer_, clock, random_, metrics_, log}),
      handler_(delivery_, timer_, shrink_footprint),
      disk_(configuration.spool_dir, contract::kSpoolCapacity),
      listener_(executor, timer_, log, handler_, disk_, limits_of(configuration)),
      admin_(executor, timer_, log,
             http::status_pages(
                 http::ready_check([this] { return unusable(configuration_.identities.front()); }),
                 [this] { return metrics_page(); }),
             admin_limits()),
      executor_(executor) {
  metrics_.describe_gauge(kTokenAge, "Time since this sidecar first saw the token that it uses now.");
}

base::Expected<Sidecar::Ports, std::string> Sidecar::start() {
  const auto smtp = listener_.listen(configuration_.smtp_port);
  if (!smtp) return base::Unexpected{"can't serve SMTP: " + smtp.error().detail};
  const auto admin = admin_.listen("", configuration_.admin_port);
  if (!admin) return base::Unexpected{"can't serve health and metrics: " + admin.error().detail};
  identities_.watch(executor_);
  for (const auto& identity : configuration_.identities) {
    if (const auto missing = unusable(identity)) {
      log_->warning("no mail can be sent as this identity yet",
                    {{"identity", identity}, {"detail", *missing}});
    }
  }
  if (::access(configuration_.spool_dir.c_str(), W_OK | X_OK) != 0) {
    log_->warning("spool folder can't be written, so large messages will be deferred",
                  {{"folder", configuration_.spool_dir}});
  }
  return Ports{*smtp, *admin};
}

asio::awaitable<void> Sidecar::stop() {
  log_->info("stopping: serving until the app has gone", {{"clients", listener_.clients()}});
  co_await listener_.serve_until_quiet(kQuiet, timer_.now() + kServeOn);
  co_await listener_.stop(kGrace);
  transport_.drain();
  co_await admin_.stop(base::Duration::zero());
}

http::Unready Sidecar::unusable(const std::string& identity) {
  const auto credentials = identities_.current(identity);
  if (credentials) return std::nullopt;
  return std::string(catalogue::code(credentials.error().reason)) + ": " +
         catalogue::describe(credentials.error());
}

std::string Sidecar::metrics_page() {
  for (const auto& name : identities_.names()) {
    const auto credentials = identities_.current(name);
    if (!credentials) {
      metrics_.remove(kTokenAge, {{"identity", name}});
      continue;
    }
    const std::chrono::duration<double> age = clock_->now() - (*credentials)->seen_at;
    metrics_.set(kTokenAge, {{"identity", name}}, age.count());
  }
  return metrics_.render();
}

}  // namespace mailid::app
