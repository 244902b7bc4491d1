#include "operator/app/run_controller.hpp"

#include "mailid_version.hpp"
#include "operator/app/controller.hpp"
#include "operator/app/controller_process.hpp"
#include "operator/app/process.hpp"
#include "operator/app/runtime.hpp"

namespace mailid::app {

int run_controller(std::span<const std::string_view> arguments) {
  const auto options = controller_options(arguments);
  if (!options) return refuse_usage("controller", options.error());

  Runtime runtime(options->log_level);
  const auto kube = runtime.connect(options->kubeconfig);
  if (!kube) return runtime.refuse_to_start(kube.error());
  ControllerProcess process(runtime.io.get_executor(), *options, (*kube)->client(), runtime.random,
                            runtime.metrics, runtime.clock, runtime.log);
  const auto port = process.start();
  if (!port) return runtime.refuse_to_start(port.error());
  runtime.log.info("controller",
                   {{"version", kVersion}, {"api_server", (*kube)->server()}, {"health_port", *port}});
  return run_until_signal(runtime.io, runtime.log, [&process] { return process.stop(); });
}

}  // namespace mailid::app
