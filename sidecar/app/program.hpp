#pragma once

#include <span>
#include <string_view>

namespace mailid::app {

/// All of `mail-sidecar`.
/// @param arguments  without the program's name
/// @return the exit code: 0 done, 1 it can't run or the probe failed, 2 command line or environment are wrong
int run(std::span<const std::string_view> arguments);

}  // namespace mailid::app
