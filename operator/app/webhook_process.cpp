#include "operator/app/webhook_process.hpp"

#include "operator/admission/self_dial.hpp"

namespace mailid::app {
namespace {

// Soon after somebody deletes the Secret or writes over the caBundle, and seldom enough to be no load.
constexpr base::Duration kRound{10'000};
// While something is missing, pods are waiting.
constexpr base::Duration kRetry{1'000};
// The API server goes on sending to an endpoint for a moment after it has become unready.
constexpr base::Duration kDrain{3'000};
constexpr base::Duration kGrace{5'000};

http::ServerLimits webhook_limits() {
  http::ServerLimits limits;
  // Time enough for a handshake; many may come at once when a node comes back.
  limits.quiet = base::Duration(1'000);
  limits.request.body_bytes = admission::Webhook::kBodyLimit;
  return limits;
}

}  // namespace

WebhookProcess::WebhookProcess(asio::any_io_executor executor, WebhookOptions options, kube::Client& client,
                               base::Metrics& metrics, const base::Clock& clock, const base::Log& log)
    : executor_(executor),
      options_(std::move(options)),
      log_(&log),
      timer_(executor),
      resolver_(executor, timer_),
      metrics_(&metrics),
      serving_(client, clock, log, tls_, options_.names),
      lookup_(executor, timer_, client),
      webhook_(options_.sidecar, lookup_, timer_, metrics, log),
      webhook_server_(
          executor, timer_, log,
          [this](http::Request request) { return webhook_.handle(std::move(request)); }, webhook_limits(),
          &tls_),
      health_server_(executor, timer_, log,
                     http::status_pages([this] { return unready(); }, [this] { return metrics_->render(); }),
                     http::ServerLimits{}) {}

base::Expected<WebhookProcess::Ports, std::string> WebhookProcess::start() {
  const auto health = health_server_.listen("", options_.health_port);
  if (!health) return base::Unexpected{"port for health: " + health.error().detail};
  const auto webhook = webhook_server_.listen("", options_.port);
  if (!webhook) return base::Unexpected{"port for the webhook: " + webhook.error().detail};
  ports_ = {*webhook, *health};
  asio::co_spawn(executor_, keep_serving(), asio::detached);
  return ports_;
}

asio::awaitable<void> WebhookProcess::keep_serving() {
  while (!stopping_) {
    const bool in_place = co_await serving_.round();
    co_await timer_.wait_for(in_place ? kRound : kRetry);
  }
}

asio::awaitable<http::Unready> WebhookProcess::unready() {
  if (stopping_) co_return "stopping";
  co_return co_await admission::dial_ourselves(resolver_, timer_, ports_.webhook, options_.names.dns_name,
                                               serving_.bundle_in_api());
}

asio::awaitable<void> WebhookProcess::stop() {
  stopping_ = true;
  log_->info("stopping");
  co_await timer_.wait_for(kDrain);
  co_await webhook_server_.stop(kGrace);
  co_await health_server_.stop(base::Duration::zero());
}

}  // namespace mailid::app
