#include "operator/app/webhook.hpp"

#include <fmt/format.h>

#include "common/base/log_level.hpp"
#include "operator/app/flags.hpp"

namespace mailid::app {
namespace {

using Need = Flag::Need;

constexpr Flag kFlags[] = {
    {"sidecar-image", "image of the injected container", "", Need::Required},
    {"sidecar-pull-policy", "Always, IfNotPresent or Never", "IfNotPresent"},
    {"sidecar-resources", "requests and limits of the injected container, as JSON", ""},
    {"service", "Service that the API server calls", "", Need::Required},
    {"namespace", "namespace of Service and Secret", "", Need::Required},
    {"ca-secret", "Secret of the webhook's certificate authority; made if missing", "", Need::Required},
    {"webhook-configuration", "MutatingWebhookConfiguration whose caBundle is kept set", "", Need::Required},
    {"port", "HTTPS, for the API server", "9443"},
    {"health-port", "/healthz, /readyz and /metrics", "8080"},
    {"kubeconfig", "for a process outside of the cluster", ""},
    {"log-level", "debug, info, warning or error", "info"},
};

bool is_pull_policy(std::string_view text) {
  return text == "Always" || text == "IfNotPresent" || text == "Never";
}

}  // namespace

base::Expected<WebhookOptions, std::string> webhook_options(std::span<const std::string_view> arguments) {
  const auto flags = Flags::parse(kFlags, arguments);
  if (!flags) return base::Unexpected{flags.error()};

  const auto level = base::log_level_named(flags->text("log-level"));
  const auto port = flags->port("port");
  const auto health_port = flags->port("health-port");
  if (!level) return base::Unexpected{std::string("--log-level must be debug, info, warning or error")};
  if (!port || !health_port)
    return base::Unexpected{std::string("--port and --health-port must be port numbers")};
  if (!is_pull_policy(flags->text("sidecar-pull-policy"))) {
    return base::Unexpected{std::string("--sidecar-pull-policy must be Always, IfNotPresent or Never")};
  }

  WebhookOptions options;
  if (const auto& text = flags->text("sidecar-resources"); !text.empty()) {
    auto resources = admission::read_sidecar_resources(text);
    if (!resources) return base::Unexpected{"--sidecar-resources: " + resources.error()};
    options.sidecar.resources = std::move(*resources);
  }
  options.sidecar.image = flags->text("sidecar-image");
  options.sidecar.pull_policy = flags->text("sidecar-pull-policy");
  options.names.dns_name = fmt::format("{}.{}.svc", flags->text("service"), flags->text("namespace"));
  options.names.authority = {flags->text("namespace"), flags->text("ca-secret")};
  options.names.configuration = flags->text("webhook-configuration");
  options.port = *port;
  options.health_port = *health_port;
  options.kubeconfig = flags->text("kubeconfig");
  options.log_level = *level;
  return options;
}

std::string webhook_usage() {
  return usage(kFlags);
}

}  // namespace mailid::app
