#include "operator/app/runtime.hpp"

#include "operator/app/program.hpp"

namespace mailid::app {

base::Expected<std::unique_ptr<KubeConnection>, std::string> Runtime::connect(const std::string& kubeconfig) {
  return KubeConnection::open(kubeconfig, timer, random, metrics);
}

int Runtime::refuse_to_start(const std::string& why) const {
  log.error("can't start", {{"detail", why}});
  return kFailed;
}

}  // namespace mailid::app
