#include "operator/admission/sidecar_container.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/contract/identity.hpp"

namespace mailid::admission {
namespace {

using nlohmann::json;

// Not 65532, which many app images use: a process of the same user could read the sidecar's files and memory
// where the pod shares its process namespace.
constexpr int kUser = 52525;
constexpr int kReadableByAll = 0444;
// What a pod of QoS class Guaranteed needs limits for, where the installation gives none.
constexpr const char* kGuaranteedCpu = "50m";
constexpr const char* kGuaranteedMemory = "64Mi";

json variable(const char* name, std::string value) {
  return {{"name", name}, {"value", std::move(value)}};
}

json environment(const PodRequest& request) {
  auto variables = json::array({variable(contract::kIdentityVariable, request.identities.front()),
                                variable(contract::kIdentityDirVariable, contract::kIdentityDir),
                                variable(contract::kSpoolDirVariable, contract::kSpoolDir),
                                variable(contract::kSmtpPortVariable, std::to_string(request.smtp_port)),
                                variable(contract::kAdminPortVariable, std::to_string(request.admin_port))});
  if (const auto& identities = request.identities; identities.size() > 1) {
    variables.push_back(
        variable(contract::kIdentitiesVariable,
                 fmt::format("{}", fmt::join(identities.begin() + 1, identities.end(), ","))));
  }
  if (request.accept_auth) variables.push_back(variable(contract::kAcceptAuthVariable, "true"));
  return variables;
}

json probe(int period, int timeout, int failures) {
  return {{"exec", {{"command", {"/mail-sidecar", "probe"}}}},
          {"periodSeconds", period},
          {"timeoutSeconds", timeout},
          {"failureThreshold", failures}};
}

json security_context() {
  return {{"runAsNonRoot", true},
          {"runAsUser", kUser},
          {"runAsGroup", kUser},
          {"readOnlyRootFilesystem", true},
          {"allowPrivilegeEscalation", false},
          {"capabilities", {{"drop", json::array({"ALL"})}}},
          {"seccompProfile", {{"type", "RuntimeDefault"}}}};
}

json resources(const SidecarResources& chosen, ResourceStyle style) {
  if (style == ResourceStyle::Burstable) return {{"requests", chosen.requests}, {"limits", chosen.limits}};
  auto same = chosen.limits;
  same.emplace("cpu", kGuaranteedCpu);
  same.emplace("memory", kGuaranteedMemory);
  return {{"requests", same}, {"limits", same}};
}

json mounts() {
  // The last one is an empty folder where the API token would be: when Kubernetes looks at the changed pod again it
  // gives one to every container that has nothing there, and this container needs none.
  return json::array({{{"name", kIdentityVolume}, {"mountPath", contract::kIdentityDir}, {"readOnly", true}},
                      {{"name", kSpoolVolume}, {"mountPath", contract::kSpoolDir}},
                      {{"name", kSpoolVolume},
                       {"mountPath", "/var/run/secrets/kubernetes.io/serviceaccount"},
                       {"subPath", "no-api-token"},
                       {"readOnly", true}}});
}

json item(const std::string& identity, std::string_view key) {
  return {{"key", std::string(key)}, {"path", identity + '/' + std::string(key)}};
}

}  // namespace

json sidecar_container(const PodRequest& request, const SidecarSettings& settings, ResourceStyle style) {
  json container = {
      {"name", kSidecarName},
      {"image", settings.image},
      {"imagePullPolicy", settings.pull_policy},
      {"restartPolicy", "Always"},
      {"env", environment(request)},
      {"ports",
       json::array({{{"name", "mail-admin"}, {"containerPort", request.admin_port}, {"protocol", "TCP"}}})},
      // The sidecar listens whether it has a token or not, so the app waits for a process to start and never for
      // mail. Probes by exec: a mesh or a network policy may close the way from the kubelet to the pod's address.
      {"startupProbe", probe(1, 2, 30)},
      {"livenessProbe", probe(30, 5, 4)},
      // No readinessProbe: it would count for the pod, and trouble with mail must not take the app out of service.
      {"securityContext", security_context()},
      {"terminationMessagePolicy", "FallbackToLogsOnError"},
      {"volumeMounts", mounts()},
  };
  if (style != ResourceStyle::Pod) container["resources"] = resources(settings.resources, style);
  return container;
}

json identity_volume(const PodRequest& request) {
  auto sources = json::array();
  for (const auto& identity : request.identities) {
    json secret = {
        {"name", identity + "-mail-token"},
        {"optional", true},
        {"items", json::array({item(identity, contract::kTokenKey), item(identity, contract::kExpiresAtKey),
                               item(identity, contract::kIdentityKey)})}};
    sources.push_back({{"secret", std::move(secret)}});
  }
  return {{"name", kIdentityVolume},
          {"projected", {{"defaultMode", kReadableByAll}, {"sources", std::move(sources)}}}};
}

json spool_volume(const SidecarSettings& settings) {
  return {{"name", kSpoolVolume}, {"emptyDir", {{"sizeLimit", settings.spool_size}}}};
}

}  // namespace mailid::admission
