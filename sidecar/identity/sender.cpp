#include "sidecar/identity/sender.hpp"

#include <algorithm>

#include "common/base/encoding.hpp"

namespace mailid::identity {
namespace {

bool matches(std::string_view pattern, std::string_view address) {
  if (!pattern.starts_with("*@")) return base::iequals(pattern, address);
  const auto at = address.rfind('@');
  return at != std::string_view::npos && at > 0 && base::iequals(pattern.substr(1), address.substr(at));
}

}  // namespace

bool sender_allowed(const contract::Identity& identity, std::string_view address) {
  if (address.empty()) return true;
  if (identity.senders.empty()) return base::iequals(identity.mailbox, address);
  return std::ranges::any_of(identity.senders,
                             [address](const auto& pattern) { return matches(pattern, address); });
}

}  // namespace mailid::identity
