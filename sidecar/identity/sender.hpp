#pragma once

#include <string_view>

#include "common/contract/identity.hpp"

namespace mailid::identity {

/// May `address` send through this identity? An allowed address matches without regard to case in ASCII,
/// `*@domain` matches every address of exactly that domain; without a list only the mailbox itself may.
/// The empty address (`<>`) goes out as the mailbox and is always allowed.
bool sender_allowed(const contract::Identity& identity, std::string_view address);

}  // namespace mailid::identity
