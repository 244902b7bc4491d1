#include "operator/app/run_controller.hpp"

#include "mailid_version.hpp"
#include "operator/app/controller.hpp"
#include "operator/app/controller_process.hpp"
#include "operator/app/kube_connection.hpp"
#include "operator/app/process.hpp"
#include "operator/app/program.hpp"

namespace mailid::app {

int run_controller(std::span<const std::string_view> arguments) {
  const auto options = controller_options(arguments);
  if (!options) return refuse_usage("controller", options.error());

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
  ControllerProcess process(io.get_executor(), *options, (*kube)->client(), random, metrics, clock, log);
  const auto port = process.start();
  if (!port) {
    log.error("can't start", {{"detail", port.error()}});
    return kFailed;
  }
  log.info("controller", {{"version", kVersion}, {"api_server", (*kube)->server()}, {"health_port", *port}});
  return run_until_signal(io, log, [&process] { return process.stop(); });
}

}  // namespace mailid::app
