#include "operator/app/kube_connection.hpp"

#include <fmt/format.h>

#include "mailid_version.hpp"
#include "operator/kube/config.hpp"

namespace mailid::app {
namespace {

/// `host:port` of an https address, as rest_client_requests_total has it.
std::string host_of(std::string_view server) {
  server.remove_prefix(server.find("//") + 2);
  return std::string(server.substr(0, server.find('/')));
}

}  // namespace

base::Expected<std::unique_ptr<KubeConnection>, std::string> KubeConnection::open(
    const std::string& kubeconfig, net::Timer& timer, base::Random& random, base::Metrics& metrics) {
  auto config = kube::find_config(kubeconfig, kube::process_environment);
  if (!config) return base::Unexpected{config.error()};
  config->user_agent = fmt::format("mail-identity-operator/{}", kVersion);
  return std::unique_ptr<KubeConnection>(new KubeConnection(*config, timer, random, metrics));
}

KubeConnection::KubeConnection(const kube::Config& config, net::Timer& timer, base::Random& random,
                               base::Metrics& metrics)
    : server_(config.server),
      transport_(timer, config),
      client_(transport_, config.token.clone(), host_of(config.server), timer, random, metrics) {}

}  // namespace mailid::app
