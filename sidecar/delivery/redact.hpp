#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mailid::delivery {

/// Somebody's words with every address in them made unrecognisable: `b***@contoso.com`.
std::string redact_addresses(std::string_view words);

/// The same for these addresses only, in any case; other words stay as they are.
std::string redact_these(std::string_view words, const std::vector<std::string>& addresses);

}  // namespace mailid::delivery
