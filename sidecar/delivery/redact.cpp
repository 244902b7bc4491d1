#include "sidecar/delivery/redact.hpp"

#include <algorithm>

#include "common/base/encoding.hpp"
#include "common/base/log.hpp"

namespace mailid::delivery {
namespace {

/// What stands around an address in words; everything else is taken for a part of it, rather too much than too little.
bool is_border(char c) {
  return std::string_view(" \t<>()[]{}\"',;:=").find(c) != std::string_view::npos;
}

/// The words with each part between two borders that is wanted made unrecognisable.
template <class Wanted>
std::string redact_if(std::string_view words, Wanted wanted) {
  std::string redacted;
  while (!words.empty()) {
    const auto border = std::find_if(words.begin(), words.end(), is_border);
    const auto part = words.substr(0, static_cast<std::size_t>(border - words.begin()));
    redacted += wanted(part) ? base::redact_address(part) : std::string(part);
    words.remove_prefix(part.size());
    if (words.empty()) break;
    redacted += words.front();
    words.remove_prefix(1);
  }
  return redacted;
}

}  // namespace

std::string redact_addresses(std::string_view words) {
  return redact_if(words, [](std::string_view part) { return part.find('@') != std::string_view::npos; });
}

std::string redact_these(std::string_view words, const std::vector<std::string>& addresses) {
  return redact_if(words, [&addresses](std::string_view part) {
    return std::any_of(addresses.begin(), addresses.end(),
                       [part](const std::string& address) { return base::iequals(part, address); });
  });
}

}  // namespace mailid::delivery
