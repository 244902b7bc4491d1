#include "operator/kube/config.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "operator/kube/kubeconfig.hpp"

namespace mailid::kube {
namespace {

base::Unexpected<std::string> wrong(std::string what) {
  return base::Unexpected{std::move(what)};
}

/// The files of $KUBECONFIG.
std::vector<std::string> split_paths(std::string_view list) {
  std::vector<std::string> paths;
  while (!list.empty()) {
    const auto colon = list.find(':');
    if (const auto path = list.substr(0, colon); !path.empty()) paths.emplace_back(path);
    list = colon == std::string_view::npos ? std::string_view() : list.substr(colon + 1);
  }
  return paths;
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port > 0 && port < 65'536;
}

bool is_host(std::string_view text) {
  const auto known = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), known);
}

}  // namespace

std::optional<std::string> process_environment(std::string_view name) {
  const auto* value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

base::Expected<Config, std::string> find_config(const std::string& kubeconfig,
                                                const Environment& environment) {
  if (!kubeconfig.empty()) return read_kubeconfig({kubeconfig});
  if (const auto list = split_paths(environment("KUBECONFIG").value_or("")); !list.empty()) {
    return read_kubeconfig(list);
  }
  if (environment("KUBERNETES_SERVICE_HOST")) return in_cluster_config(environment, kServiceAccountDirectory);
  const auto home = environment("HOME").value_or("");
  const auto path = home + "/.kube/config";
  if (!home.empty() && ::access(path.c_str(), F_OK) == 0) return read_kubeconfig({path});
  return wrong(
      "no API server is configured: not in a pod (KUBERNETES_SERVICE_HOST is not set), and no --kubeconfig, "
      "KUBECONFIG or ~/.kube/config");
}

base::Expected<Config, std::string> in_cluster_config(const Environment& environment,
                                                      const std::string& directory) {
  auto host = environment("KUBERNETES_SERVICE_HOST").value_or("");
  const auto port = environment("KUBERNETES_SERVICE_PORT").value_or("443");
  // The address, so that a DNS that is down is not our trouble; an IPv6 address can't be verified by cpprestsdk,
  // and this name is in the API server's certificate too.
  if (host.find(':') != std::string::npos) host = "kubernetes.default.svc";
  if (!is_host(host) || !is_port(port)) {
    return wrong(
        fmt::format("KUBERNETES_SERVICE_HOST={} and KUBERNETES_SERVICE_PORT={} are no address", host, port));
  }

  Config config;
  config.server = fmt::format("https://{}:{}", host, port);
  config.ca = Material::from_file(directory + "/ca.crt");
  config.token = Material::from_file(directory + "/token");
  for (const auto* material : {&config.ca, &config.token}) {
    if (const auto bytes = material->read(); !bytes) {
      return wrong("the pod's service account: " + bytes.error() + "; is automountServiceAccountToken off?");
    }
  }
  if (const auto name = Material::from_file(directory + "/namespace").read()) {
    config.default_namespace = std::string(name->reveal());
  }
  return config;
}

}  // namespace mailid::kube
