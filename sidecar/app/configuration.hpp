#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/log.hpp"

namespace mailid::app {

/// What a sidecar is told by its environment (common/contract/sidecar_environment.hpp).
struct Configuration {
  std::vector<std::string> identities;  ///< the pod's default identity, then its others
  std::string identity_dir;
  std::string spool_dir;
  std::string ca_path;
  std::uint16_t smtp_port;
  std::uint16_t admin_port;
  bool accept_auth;
  base::LogLevel log_level;
};

/// The value of a variable, or nothing where it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;

/// The process's own environment.
std::optional<std::string> process_environment(const char* name);

/// Reads all variables; a variable that is set to nothing counts as not set.
/// @return or a sentence about each variable that is wrong, with what it must be
base::Expected<Configuration, std::string> read_configuration(const Environment& environment);

/// Only the port that a probe asks.
base::Expected<std::uint16_t, std::string> read_admin_port(const Environment& environment);

/// One line for each variable.
std::string describe_environment();

}  // namespace mailid::app
