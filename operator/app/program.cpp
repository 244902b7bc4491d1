#include "operator/app/program.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

#include "mailid_version.hpp"
#include "operator/app/controller.hpp"
#include "operator/app/process.hpp"
#include "operator/app/run_controller.hpp"
#include "operator/app/run_webhook.hpp"
#include "operator/app/webhook.hpp"

namespace mailid::app {
namespace {

constexpr Command kCommands[] = {
    {"controller", "keeps a fresh token for each MailIdentity", controller_usage, run_controller},
    {"webhook", "puts the sidecar into pods that ask for it", webhook_usage, run_webhook},
};

void print(int descriptor, std::string_view text) {
  [[maybe_unused]] const auto written = ::write(descriptor, text.data(), text.size());
}

std::string program_usage() {
  std::string text = "mail-identity-operator <command> [flags]\n\ncommands:\n";
  for (const auto& command : kCommands) text += fmt::format("  {:<12} {}\n", command.name, command.meaning);
  return text + "\n--version says which release this is; <command> --help lists its flags.\n";
}

bool asks_for_help(std::span<const std::string_view> arguments) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [](std::string_view word) { return word == "--help" || word == "-h"; });
}

}  // namespace

int run_program(std::span<const std::string_view> arguments) {
  const auto first = arguments.empty() ? std::string_view() : arguments.front();
  if (first == "--version") {
    print(STDOUT_FILENO, fmt::format("mail-identity-operator {}\n", kVersion));
    return kEndedWell;
  }
  const auto* command = std::find_if(std::begin(kCommands), std::end(kCommands),
                                     [first](const Command& known) { return known.name == first; });
  if (command == std::end(kCommands)) {
    const bool asked = first == "--help" || first == "-h";
    if (!asked && !first.empty()) print(STDERR_FILENO, fmt::format("{} is not a command\n\n", first));
    print(asked ? STDOUT_FILENO : STDERR_FILENO, program_usage());
    return asked ? kEndedWell : kWrongUsage;
  }
  const auto rest = arguments.subspan(1);
  if (asks_for_help(rest)) {
    print(STDOUT_FILENO,
          fmt::format("mail-identity-operator {} [flags]\n\n{}", command->name, command->usage()));
    return kEndedWell;
  }
  prepare_process();
  return command->run(rest);
}

}  // namespace mailid::app
