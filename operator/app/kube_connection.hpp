#pragma once

#include <memory>
#include <string>

#include "common/base/metrics.hpp"
#include "common/base/random.hpp"
#include "common/net/timer.hpp"
#include "operator/kube/cpprest_transport.hpp"
#include "operator/kube/http_client.hpp"

namespace mailid::app {

/// The client of the API server and the transport that it stands on.
class KubeConnection {
 public:
  /// Finds the API server (kube::find_config) but doesn't ask it anything yet. A sentence where none is configured.
  /// All references must outlive what comes back.
  static base::Expected<std::unique_ptr<KubeConnection>, std::string> open(const std::string& kubeconfig,
                                                                           net::Timer& timer,
                                                                           base::Random& random,
                                                                           base::Metrics& metrics);

  kube::HttpClient& client() { return client_; }
  /// Where the API server is, for the log.
  const std::string& server() const { return server_; }

 private:
  KubeConnection(const kube::Config& config, net::Timer& timer, base::Random& random, base::Metrics& metrics);

  std::string server_;
  kube::CpprestTransport transport_;
  kube::HttpClient client_;
};

}  // namespace mailid::app
