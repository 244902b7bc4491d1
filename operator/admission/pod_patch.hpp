#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/catalogue/catalogue.hpp"
#include "operator/admission/sidecar_container.hpp"

namespace mailid::admission {

/// What becomes of one pod.
struct PodPatch {
  std::string operations = "[]";  ///< JSON patch (RFC 6902), `add` only; `[]` where nothing is to be done
  std::vector<std::string>
      identities;  ///< what the pod asks for, the default first; empty for a pod that isn't ours
  std::vector<std::string> warnings;  ///< sentences for the person who creates the pod

  bool empty() const { return operations == "[]"; }
};

/// The patch that gives a labelled pod its sidecar. A pure function of the pod and the installation's settings: it
/// knows no MailIdentity, so the order in which things are created doesn't matter.
///
/// Each part (container, volumes, annotations, environment) is added where it is missing and left alone where it is
/// there: the patch of a patched pod is empty. Mirror pods and pods without the label are left alone.
/// @return HostNetworkRefused, InvalidAnnotation or PodNotSupported where the pod can't have a sidecar
catalogue::Result<PodPatch> patch_pod(const nlohmann::json& pod, const SidecarSettings& settings);

}  // namespace mailid::admission
