#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/log.hpp"

namespace mailid::app {

/// What `mail-identity-operator controller` was told.
struct ControllerOptions {
  std::vector<std::string> allowed_hosts;  ///< besides those of the presets, see oauth::AllowedHosts
  std::string token_ca;                    ///< PEM of more roots for token endpoints, may be empty
  std::string smtp_ca;                     ///< PEM of more roots for relays, may be empty
  std::uint16_t health_port = 0;           ///< in clear: /healthz, /readyz, /metrics
  std::string kubeconfig;                  ///< empty: $KUBECONFIG or the pod's own configuration
  base::LogLevel log_level = base::LogLevel::Info;
};

/// The options of a command line (without program and command), its files read, or what is wrong with it.
base::Expected<ControllerOptions, std::string> controller_options(
    std::span<const std::string_view> arguments);

/// What --help prints.
std::string controller_usage();

}  // namespace mailid::app
