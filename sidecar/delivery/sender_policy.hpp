#pragma once

#include <optional>
#include <string>

#include "common/contract/identity.hpp"
#include "sidecar/delivery/message_header.hpp"

namespace mailid::delivery {

/// May a message with this envelope sender leave through the identity?
/// @return nothing where it may, else what is wrong with it, for the app to read
std::optional<std::string> forbidden_envelope(const contract::Identity& identity, const std::string& sender);

/// The same for the addresses in all From fields. What can't be read can't be checked and may not leave; a message
/// without From may, since it claims nobody.
std::optional<std::string> forbidden_header(const contract::Identity& identity, const MessageHeader& header);

}  // namespace mailid::delivery
