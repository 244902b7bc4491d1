#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "operator/admission/pod_request.hpp"
#include "operator/admission/sidecar_resources.hpp"

namespace mailid::admission {

inline constexpr const char* kSidecarName = "mail-sidecar";
inline constexpr const char* kIdentityVolume = "mail-identity";
inline constexpr const char* kSpoolVolume = "mail-spool";

/// What the installation decides about every injected sidecar.
struct SidecarSettings {
  std::string image;
  std::string pull_policy = "IfNotPresent";
  SidecarResources resources;
  std::string spool_size = "1Gi";  ///< of the emptyDir; the kubelet evicts a pod that takes more
};

/// How the sidecar's resources are written down.
enum class ResourceStyle {
  Burstable,   ///< as the installation says
  Guaranteed,  ///< limits as requests, on CPU and memory both, so that the pod keeps its QoS class
  Pod,         ///< none: the pod has resources of its own, which containers may not exceed together
};

/// The native sidecar: an init container that restarts always, acceptable to Pod Security `restricted` by itself.
nlohmann::json sidecar_container(const PodRequest& request, const SidecarSettings& settings,
                                 ResourceStyle style);

/// The projected volume of all identities, every source optional, files readable by any user (a group of our own
/// would change the whole pod) and mounted in the sidecar only.
nlohmann::json identity_volume(const PodRequest& request);

/// Room for message bodies and the spool.
nlohmann::json spool_volume(const SidecarSettings& settings);

}  // namespace mailid::admission
