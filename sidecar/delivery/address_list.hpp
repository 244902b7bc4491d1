#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailid::delivery {

/// The addresses in the value of a From field (RFC 5322 section 3.4, with groups, comments, quoted strings, RFC 2047
/// words, UTF-8 and the obsolete forms that are met in the wild), without display names.
///
/// An empty group has none. A local part is without quotes where it needs none.
/// @return nothing where two readers could disagree on which addresses the field names
std::optional<std::vector<std::string>> addresses_of(std::string_view value);

}  // namespace mailid::delivery
