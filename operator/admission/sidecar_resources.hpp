#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/base/expected.hpp"

namespace mailid::admission {

/// What the sidecar asks of its node and may take of it: resource names (cpu, memory) and Kubernetes quantities.
struct SidecarResources {
  using Quantities = std::map<std::string, std::string>;

  Quantities requests = {{"cpu", "5m"}, {"memory", "16Mi"}};
  /// None on CPU: throttling would only make mail slow, and the request already bounds the share.
  Quantities limits = {{"memory", "64Mi"}};

  friend bool operator==(const SidecarResources&, const SidecarResources&) = default;
};

/// Of JSON as in a container: `{"requests": {"cpu": "5m"}, "limits": {}}`. What it doesn't have is empty. Quantities
/// are not looked into; the API server does that in every pod.
/// @return else what is wrong with it
base::Expected<SidecarResources, std::string> read_sidecar_resources(std::string_view text);

}  // namespace mailid::admission
