#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/expected.hpp"
#include "operator/kube/material.hpp"

namespace mailid::kube {

/// Where an API server is, how to know it and how to log in.
struct Config {
  std::string server;           ///< `https://host:port`, no slash at the end; always https
  Material ca;                  ///< PEM of the roots that are believed, and no others; empty: the system's
  Material client_certificate;  ///< PEM, with its chain; empty: none
  Material client_key;          ///< PEM; there where client_certificate is
  Material token;               ///< sent as bearer token; empty: none. Read again for each request
  std::string default_namespace;
  std::string user_agent;  ///< what the server's audit log calls us; empty: the HTTP library's own
};

/// A variable of the environment, or nothing.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
/// This process' own.
std::optional<std::string> process_environment(std::string_view name);

/// The configuration that the first of these gives: the file `kubeconfig` where it is not empty, $KUBECONFIG, the
/// service account of the pod that this process runs in, ~/.kube/config. A sentence for people where none does, or
/// where the first one there is wrong.
base::Expected<Config, std::string> find_config(const std::string& kubeconfig,
                                                const Environment& environment);

/// The pod's own: $KUBERNETES_SERVICE_HOST and _PORT, and token, ca.crt and namespace in `directory`.
base::Expected<Config, std::string> in_cluster_config(const Environment& environment,
                                                      const std::string& directory);

/// Where the kubelet mounts what in_cluster_config() reads.
inline constexpr const char* kServiceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";

}  // namespace mailid::kube
