#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/base/expected.hpp"
#include "common/base/log.hpp"
#include "operator/admission/pod_patch.hpp"
#include "operator/admission/serving.hpp"

namespace mailid::app {

/// What `mail-identity-operator webhook` was told.
struct WebhookOptions {
  admission::SidecarSettings sidecar;
  admission::ServingNames names;
  std::uint16_t port = 0;         ///< HTTPS, for the API server
  std::uint16_t health_port = 0;  ///< in clear: /healthz, /readyz, /metrics
  std::string kubeconfig;         ///< empty: $KUBECONFIG or the pod's own configuration
  base::LogLevel log_level = base::LogLevel::Info;
};

/// The options of a command line (without program and command), or what is wrong with it.
base::Expected<WebhookOptions, std::string> webhook_options(std::span<const std::string_view> arguments);

/// What --help prints.
std::string webhook_usage();

}  // namespace mailid::app
