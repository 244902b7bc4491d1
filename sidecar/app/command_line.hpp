#pragma once

#include <span>
#include <string>
#include <string_view>

#include "common/base/expected.hpp"

namespace mailid::app {

/// What `mail-sidecar` is asked to do.
struct Command {
  enum class Action { Serve, Probe, Version, Help };
  Action action = Action::Serve;
  std::string page;  ///< of a probe: `/healthz` or `/readyz`
};

/// Nothing serves; `probe [startup|live|ready]`, `--version`, `--help`.
/// @param arguments  without the program's name
/// @return or a sentence about what is wrong
base::Expected<Command, std::string> parse_command(std::span<const std::string_view> arguments);

/// What --help says.
std::string usage();

}  // namespace mailid::app
