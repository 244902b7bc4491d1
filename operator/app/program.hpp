#pragma once

#include <span>
#include <string>
#include <string_view>

namespace mailid::app {

/// How the program ends.
inline constexpr int kEndedWell = 0;
inline constexpr int kFailed = 1;      ///< it could not start or go on; the last line of the log says why
inline constexpr int kWrongUsage = 2;  ///< the command line is wrong; standard error says where

/// One command of the program.
struct Command {
  std::string_view name;
  std::string_view meaning;                                 ///< for --help
  std::string (*usage)();                                   ///< its flags, one a line
  int (*run)(std::span<const std::string_view> arguments);  ///< with what stands behind the command
};

/// `mail-identity-operator <command> [flags]`, `--help` or `--version`: runs to the end of the process.
/// @return the process' exit code
int run_program(std::span<const std::string_view> arguments);

}  // namespace mailid::app
