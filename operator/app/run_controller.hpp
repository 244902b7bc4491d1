#pragma once

#include <span>
#include <string_view>

namespace mailid::app {

/// `mail-identity-operator controller`: works until it is told to stop. @return the exit code
int run_controller(std::span<const std::string_view> arguments);

}  // namespace mailid::app
