#include "operator/app/controller_process.hpp"

#include <fmt/format.h>
#include <utility>

#include "operator/reconcile/metrics.hpp"

namespace mailid::app {
namespace {

// Longer than a token request may take, shorter than a pod's grace period of 30 s.
constexpr base::Duration kGrace{20'000};
// An identity must not sleep for client-go's quarter of an hour after an outage of the API server.
constexpr base::Duration kLongestBackOff{60'000};
constexpr const char* kSystemRoots = "/etc/ssl/certs";

reconcile::Settings settings(const ControllerOptions& options) {
  reconcile::Settings made;
  made.allowed_hosts = oauth::AllowedHosts(options.allowed_hosts);
  made.smtp_ca = options.smtp_ca;
  return made;
}

kube::RateLimits rate_limits() {
  kube::RateLimits limits;
  limits.longest_delay = kLongestBackOff;
  return limits;
}

kube::ReflectorOptions all_identities() {
  kube::ReflectorOptions options;
  options.collection = fmt::format("/apis/{}/{}", api::kApiVersion, api::kPlural);
  return options;
}

}  // namespace

ControllerProcess::ControllerProcess(asio::any_io_executor executor, ControllerOptions options,
                                     kube::HttpClient& client, base::Random& random, base::Metrics& metrics,
                                     const base::Clock& clock, const base::Log& log)
    : executor_(executor),
      health_port_(options.health_port),
      log_(&log),
      timer_(executor),
      resolver_(executor, timer_),
      metrics_(&metrics),
      post_(executor, timer_, options.token_ca),
      token_client_(post_, clock),
      login_probe_(resolver_, timer_, kSystemRoots),
      reconciler_({client, token_client_, login_probe_, timer_, clock, metrics, log}, settings(options)),
      queue_(executor, timer_, metrics, std::string(reconcile::kControllerName), rate_limits()),
      controller_(executor, queue_, reconciler_, timer_, metrics, log),
      reflector_(executor, client, timer_, random, log, controller_, all_identities()),
      health_server_(executor, timer_, log,
                     http::status_pages(http::ready_check([this] { return unready(); }),
                                        [this] { return metrics_page(); }),
                     http::ServerLimits{}) {}

base::Expected<std::uint16_t, std::string> ControllerProcess::start() {
  const auto port = health_server_.listen("", health_port_);
  if (!port) return base::Unexpected{"port for health: " + port.error().detail};
  controller_.start();
  asio::co_spawn(executor_, reflector_.run(), asio::detached);
  return *port;
}

http::Unready ControllerProcess::unready() const {
  if (stopping_) return "stopping";
  if (!controller_.synced()) return "the MailIdentities were not listed yet";
  return std::nullopt;
}

std::string ControllerProcess::metrics_page() {
  queue_.refresh_metrics();
  return metrics_->render();
}

asio::awaitable<void> ControllerProcess::stop() {
  stopping_ = true;
  log_->info("stopping");
  reflector_.stop();
  co_await controller_.stop(kGrace);
  co_await health_server_.stop(base::Duration::zero());
}

}  // namespace mailid::app
