#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"

namespace mailid::app {

/// One flag that a command knows.
struct Flag {
  enum class Need { Optional, Required };
  std::string_view name;      ///< without the dashes
  std::string_view meaning;   ///< for --help
  std::string_view fallback;  ///< the value where it is not given
  Need need = Need::Optional;
};

/// The flags of a command line: `--name=value` or `--name value`, each at most once. What is missing has its
/// fallback; an unknown flag, a missing value or a missing required flag is an error.
class Flags {
 public:
  /// The flags, or a sentence about the first thing that is wrong.
  static base::Expected<Flags, std::string> parse(std::span<const Flag> known,
                                                  std::span<const std::string_view> arguments);

  /// The value of a flag that was declared.
  const std::string& text(std::string_view name) const;
  /// The value, split at commas, without empty parts.
  std::vector<std::string> texts(std::string_view name) const;
  /// The value as a port number; nothing where it is none.
  std::optional<std::uint16_t> port(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

/// One line for each flag.
std::string usage(std::span<const Flag> known);

}  // namespace mailid::app
