#include "sidecar/app/command_line.hpp"

#include <fmt/format.h>

#include "sidecar/app/configuration.hpp"

namespace mailid::app {
namespace {

using Action = Command::Action;

struct Row {
  std::string_view word;
  std::string_view second;  ///< empty: none
  Action action;
  std::string_view page;
};

constexpr Row kCommands[] = {
    {"probe", "", Action::Probe, "/healthz"},
    {"probe", "startup", Action::Probe, "/healthz"},
    {"probe", "live", Action::Probe, "/healthz"},
    {"probe", "ready", Action::Probe, "/readyz"},
    {"--version", "", Action::Version, ""},
    {"--help", "", Action::Help, ""},
    {"-h", "", Action::Help, ""},
};

}  // namespace

base::Expected<Command, std::string> parse_command(std::span<const std::string_view> arguments) {
  if (arguments.empty()) return Command{};
  const auto second = arguments.size() > 1 ? arguments[1] : std::string_view();
  for (const auto& row : kCommands) {
    if (arguments.size() > 2 || row.word != arguments[0] || row.second != second) continue;
    return Command{row.action, std::string(row.page)};
  }
  return base::Unexpected{fmt::format("'{}' is no command", fmt::join(arguments, " "))};
}

std::string usage() {
  return "mail-sidecar: SMTP on localhost for an app that knows no OAuth2\n"
         "\n"
         "  mail-sidecar                        serve\n"
         "  mail-sidecar probe [startup|live]   exit 0 if the sidecar of this pod serves\n"
         "  mail-sidecar probe ready            exit 0 if it could send now, else say why not\n"
         "  mail-sidecar --version | --help\n"
         "\n"
         "Environment:\n" +
         describe_environment();
}

}  // namespace mailid::app
