#include "sidecar/delivery/sender_policy.hpp"

#include <fmt/format.h>

#include "sidecar/delivery/address_list.hpp"
#include "sidecar/identity/sender.hpp"

namespace mailid::delivery {

std::optional<std::string> forbidden_envelope(const contract::Identity& identity, const std::string& sender) {
  if (identity::sender_allowed(identity, sender)) return std::nullopt;
  return fmt::format("<{}> is not a sender of identity {}", sender, identity.name);
}

std::optional<std::string> forbidden_header(const contract::Identity& identity, const MessageHeader& header) {
  for (const auto& field : header.from) {
    const auto addresses = addresses_of(field);
    if (!addresses) return "the From field can't be read: write it as Name <address>";
    for (const auto& address : *addresses) {
      if (identity::sender_allowed(identity, address)) continue;
      return fmt::format("<{}> in the From field is not a sender of identity {}", address, identity.name);
    }
  }
  return std::nullopt;
}

}  // namespace mailid::delivery
