#include "common/base/log_level.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace mailid::base {
namespace {

/// In the order of LogLevel.
constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};

}  // namespace

std::string_view log_level_name(LogLevel level) {
  return kNames[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> log_level_named(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<LogLevel>(found - kNames.begin());
}

}  // namespace mailid::base
