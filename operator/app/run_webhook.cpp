#include "operator/app/run_webhook.hpp"

#include "mailid_version.hpp"
#include "operator/app/process.hpp"
#include "operator/app/runtime.hpp"
#include "operator/app/webhook_process.hpp"

namespace mailid::app {

int run_webhook(std::span<const std::string_view> arguments) {
  const auto options = webhook_options(arguments);
  if (!options) return refuse_usage("webhook", options.error());

  Runtime runtime(options->log_level);
  const auto kube = runtime.connect(options->kubeconfig);
  if (!kube) return runtime.refuse_to_start(kube.error());
  WebhookProcess process(runtime.io.get_executor(), *options, (*kube)->client(), runtime.metrics,
                         runtime.clock, runtime.log);
  const auto ports = process.start();
  if (!ports) return runtime.refuse_to_start(ports.error());
  runtime.log.info("webhook", {{"version", kVersion},
                               {"api_server", (*kube)->server()},
                               {"port", ports->webhook},
                               {"health_port", ports->health}});
  return run_until_signal(runtime.io, runtime.log, [&process] { return process.stop(); });
}

}  // namespace mailid::app
