#pragma once

#include <string>
#include <string_view>

#include "common/base/secret.hpp"

namespace mailid::smtp {

/// What a server said, fit to be logged: every run of 16 or more octets that it shares with `secret`, in upper or
/// lower case, is shown as `***`. Some servers quote the line that they did not understand.
std::string redact(std::string_view text, const base::Secret& secret);

}  // namespace mailid::smtp
