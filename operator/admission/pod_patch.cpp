#include "operator/admission/pod_patch.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "operator/admission/json_patch.hpp"

namespace mailid::admission {
namespace {

using catalogue::Failure;
using catalogue::Reason;
using nlohmann::json;

constexpr const char* kMirrorAnnotation = "kubernetes.io/config.mirror";
constexpr const char* kDefaultContainer = "kubectl.kubernetes.io/default-container";
constexpr const char* kSafeToEvict = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes";
constexpr const char* kHost = "127.0.0.1";

/// The member, or null where there is none.
const json& member(const json& parent, const char* name) {
  static const json kNull;
  if (!parent.is_object()) return kNull;
  const auto found = parent.find(name);
  return found == parent.end() ? kNull : *found;
}

/// The list, or an empty one where there is none.
const json& list(const json& parent, const char* name) {
  static const json kEmpty = json::array();
  const auto& found = member(parent, name);
  return found.is_array() ? found : kEmpty;
}

/// The text, or an empty one where there is none.
std::string_view text(const json& parent, const char* name) {
  const auto& found = member(parent, name);
  return found.is_string() ? std::string_view(found.get_ref<const std::string&>()) : std::string_view();
}

bool is_true(const json& parent, const char* name) {
  return member(parent, name) == json(true);
}

/// The element of a list that has this name, or nullptr.
const json* named(const json& elements, std::string_view name) {
  const auto found = std::find_if(elements.begin(), elements.end(),
                                  [name](const json& element) { return text(element, "name") == name; });
  return found == elements.end() ? nullptr : &*found;
}

bool is_our_sidecar(const json& container) {
  const auto& mounts = list(container, "volumeMounts");
  return text(container, "restartPolicy") == "Always" &&
         std::any_of(mounts.begin(), mounts.end(),
                     [](const json& mount) { return text(mount, "mountPath") == contract::kIdentityDir; });
}

// Why a pod can't have a sidecar: each is asked in turn.

std::optional<Failure> on_host_network(const json& spec) {
  if (!is_true(spec, "hostNetwork")) return std::nullopt;
  return Failure{Reason::HostNetworkRefused, {}};
}

std::optional<Failure> on_windows(const json& spec) {
  if (text(member(spec, "os"), "name") != "windows") return std::nullopt;
  return Failure{Reason::PodNotSupported, "the sidecar runs on Linux only"};
}

std::optional<Failure> name_taken(const json& spec) {
  const auto* init = named(list(spec, "initContainers"), kSidecarName);
  if (named(list(spec, "containers"), kSidecarName) != nullptr ||
      (init != nullptr && !is_our_sidecar(*init))) {
    return Failure{Reason::PodNotSupported,
                   fmt::format("it has a container of its own named {}", kSidecarName)};
  }
  const auto taken = [&spec](const char* name, const char* kind) {
    const auto* volume = named(list(spec, "volumes"), name);
    return volume != nullptr && !volume->contains(kind);
  };
  for (const auto& [name, kind] :
       {std::pair(kIdentityVolume, "projected"), std::pair(kSpoolVolume, "emptyDir")}) {
    if (taken(name, kind))
      return Failure{Reason::PodNotSupported, fmt::format("it has a volume of its own named {}", name)};
  }
  return std::nullopt;
}

constexpr std::optional<Failure> (*kRefusals[])(const json& spec) = {on_host_network, on_windows, name_taken};

// What the pod needs: each adds what is missing.

bool has_guaranteed_resources(const json& container) {
  const auto& resources = member(container, "resources");
  const auto& limits = member(resources, "limits");
  const auto& requests = member(resources, "requests");
  const auto equal = [&](const char* what) {
    const auto& limit = member(limits, what);
    const auto& request = member(requests, what);
    return !limit.is_null() && (request.is_null() || request == limit);
  };
  return equal("cpu") && equal("memory");
}

ResourceStyle resource_style(const json& spec) {
  if (member(spec, "resources").is_object()) return ResourceStyle::Pod;
  for (const char* kind : {"containers", "initContainers"}) {
    const auto& containers = list(spec, kind);
    if (!std::all_of(containers.begin(), containers.end(), has_guaranteed_resources))
      return ResourceStyle::Burstable;
  }
  return ResourceStyle::Guaranteed;
}

void add_sidecar(PatchBuilder& patch, const json& spec, const PodRequest& request,
                 const SidecarSettings& settings) {
  if (named(list(spec, "initContainers"), kSidecarName) != nullptr) return;
  // In front, so that the app's own init containers can send too.
  patch.prepend(spec, "/spec", "initContainers", sidecar_container(request, settings, resource_style(spec)));
}

void add_volumes(PatchBuilder& patch, const json& spec, const PodRequest& request,
                 const SidecarSettings& settings) {
  auto missing = json::array();
  for (auto volume : {identity_volume(request), spool_volume(settings)}) {
    if (named(list(spec, "volumes"), text(volume, "name")) == nullptr) missing.push_back(std::move(volume));
  }
  patch.append(spec, "/spec", "volumes", missing);
}

bool in_comma_list(std::string_view items, std::string_view item) {
  return fmt::format(",{},", items).find(fmt::format(",{},", item)) != std::string::npos;
}

void add_annotations(PatchBuilder& patch, const json& pod) {
  const auto& metadata = member(pod, "metadata");
  const auto& annotations = member(metadata, "annotations");
  const auto& containers = list(member(pod, "spec"), "containers");

  auto missing = json::object();
  // A pod with an emptyDir that isn't named here keeps its node alive for ever.
  const auto evictable = text(annotations, kSafeToEvict);
  if (!in_comma_list(evictable, kSpoolVolume)) {
    missing[kSafeToEvict] =
        evictable.empty() ? std::string(kSpoolVolume) : fmt::format("{},{}", evictable, kSpoolVolume);
  }
  if (member(annotations, kDefaultContainer).is_null() && !containers.empty()) {
    missing[kDefaultContainer] = text(containers.front(), "name");
  }
  patch.merge(metadata, "/metadata", "annotations", missing);
}

bool knows_where_to_send(const json& container) {
  const auto& env = list(container, "env");
  return named(env, "SMTP_HOST") != nullptr || named(env, "SMTP_PORT") != nullptr;
}

void add_environment(PatchBuilder& patch, const json& spec, const PodRequest& request) {
  const json variables = {{{"name", "SMTP_HOST"}, {"value", kHost}},
                          {{"name", "SMTP_PORT"}, {"value", std::to_string(request.smtp_port)}}};
  const auto& containers = list(spec, "containers");
  for (std::size_t i = 0; i < containers.size(); ++i) {
    // envFrom may set them too, and what is in env would win over it.
    if (knows_where_to_send(containers[i]) || !list(containers[i], "envFrom").empty()) continue;
    patch.append(containers[i], fmt::format("/spec/containers/{}", i), "env", variables);
  }
}

// What the person who creates the pod should know.

std::vector<std::string> port_conflicts(const json& spec, const PodRequest& request) {
  std::vector<std::string> warnings;
  const auto note = [&](const json& container, std::uint16_t port, const char* annotation) {
    const auto& ports = list(container, "ports");
    const bool taken = std::any_of(ports.begin(), ports.end(), [port](const json& entry) {
      return member(entry, "containerPort") == json(port);
    });
    if (!taken) return;
    warnings.push_back(fmt::format("container {} and {} both want port {}; set annotation {} to another one",
                                   text(container, "name"), kSidecarName, port, annotation));
  };
  for (const auto& container : list(spec, "containers")) {
    note(container, request.smtp_port, kSmtpPortAnnotation);
    note(container, request.admin_port, kAdminPortAnnotation);
  }
  return warnings;
}

bool sends_to_the_sidecar(const json& container, const PodRequest& request) {
  const auto value = [&env = list(container, "env")](const char* name) {
    const auto* variable = named(env, name);
    return variable == nullptr ? std::string_view() : text(*variable, "value");
  };
  const auto host = value("SMTP_HOST");
  return (host == kHost || host == "localhost" || host == "::1") &&
         value("SMTP_PORT") == std::to_string(request.smtp_port);
}

/// Containers that go on sending to where they did before, unless their settings are changed.
std::vector<std::string> own_destinations(const json& spec, const PodRequest& request) {
  std::vector<std::string> warnings;
  for (const auto& container : list(spec, "containers")) {
    const bool own = knows_where_to_send(container);
    if (own ? sends_to_the_sidecar(container, request) : list(container, "envFrom").empty()) continue;
    warnings.push_back(fmt::format(
        "container {} has {}, so SMTP_HOST and SMTP_PORT are not set for it; mail is taken at {}:{}",
        text(container, "name"), own ? "SMTP_HOST or SMTP_PORT of its own" : "envFrom", kHost,
        request.smtp_port));
  }
  return warnings;
}

std::vector<std::string> warnings_about(const json& spec, const PodRequest& request) {
  auto warnings = request.warnings;
  for (auto& conflict : port_conflicts(spec, request)) warnings.push_back(std::move(conflict));
  for (auto& own : own_destinations(spec, request)) warnings.push_back(std::move(own));
  if (is_true(spec, "shareProcessNamespace")) {
    warnings.emplace_back(
        "with shareProcessNamespace a container that runs as root can read the sidecar's token");
  }
  return warnings;
}

}  // namespace

catalogue::Result<PodPatch> patch_pod(const json& pod, const SidecarSettings& settings) {
  const auto& spec = member(pod, "spec");
  if (!spec.is_object()) return PodPatch{};
  if (!member(member(member(pod, "metadata"), "annotations"), kMirrorAnnotation).is_null()) return PodPatch{};

  auto read = read_request(pod);
  if (!read) return base::Unexpected{std::move(read).error()};
  if (!*read) return PodPatch{};
  const auto& request = **read;
  for (const auto refusal : kRefusals) {
    if (auto why = refusal(spec)) return base::Unexpected{std::move(*why)};
  }

  PatchBuilder patch;
  add_sidecar(patch, spec, request, settings);
  add_volumes(patch, spec, request, settings);
  add_annotations(patch, pod);
  add_environment(patch, spec, request);

  PodPatch result;
  result.operations = patch.operations().dump();
  result.identities = request.identities;
  result.warnings = warnings_about(spec, request);
  return result;
}

}  // namespace mailid::admission
