#pragma once

#include <optional>
#include <string_view>

#include "common/base/log.hpp"

namespace mailid::base {

/// `debug`, `info`, `warning` or `error`, as a log line and our settings have it.
std::string_view log_level_name(LogLevel level);
/// The level of this name; nothing for any other word.
std::optional<LogLevel> log_level_named(std::string_view name);

}  // namespace mailid::base
