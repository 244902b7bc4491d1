#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/secret.hpp"
#include "common/contract/identity.hpp"

namespace mailid::smtp {

/// `XOAUTH2` or `OAUTHBEARER`, as in AUTH.
std::string_view mechanism_name(contract::Mechanism mechanism);

/// The client's first SASL message in base64 without line end: Google's XOAUTH2 or RFC 7628 section 3.1.
/// Host and port are used by OAUTHBEARER only.
/// @return nothing where mailbox, token or the host that is used hold CR, LF, NUL or 0x01 or are empty
std::optional<base::Secret> initial_response(contract::Mechanism mechanism, std::string_view mailbox,
                                             std::string_view host, std::uint16_t port,
                                             const base::Secret& token);

/// The line, with its end, that answers a 334 with the server's error, so that its final 535 comes.
std::string_view error_acknowledgement(contract::Mechanism mechanism);

}  // namespace mailid::smtp
