#include "operator/app/run_webhook.hpp"

#include "mailid_version.hpp"
#include "operator/app/kube_connection.hpp"
#include "operator/app/process.hpp"
#include "operator/app/program.hpp"
#include "operator/app/webhook_process.hpp"

namespace mailid::app {

int run_webhook(std::span<const std::string_view> arguments) {
  const auto options = webhook_options(arguments);
  if (!options) return refuse_usage("webhook", options.error());

  asio::io_context io{1};
  const base::SystemClock clock;
  const base::Log log(clock, options->log_level);
  net::SystemTimer timer(io.get_executor());
  base::SystemRandom random;
  base::Metrics metrics;
  const auto kube = KubeConnection::open(options->kubeconfig, timer, random, metrics);
  if (!kube) {
    log.error("can't start", {{"detail", kube.error()}});
    return kFailed;
  }
  WebhookProcess process(io.get_executor(), *options, (*kube)->client(), metrics, clock, log);
  const auto ports = process.start();
  if (!ports) {
    log.error("can't start", {{"detail", ports.error()}});
    return kFailed;
  }
  log.info("webhook", {{"version", kVersion},
                       {"api_server", (*kube)->server()},
                       {"port", ports->webhook},
                       {"health_port", ports->health}});
  return run_until_signal(io, log, [&process] { return process.stop(); });
}

}  // namespace mailid::app
