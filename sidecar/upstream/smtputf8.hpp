#pragma once

#include "sidecar/delivery/transport.hpp"

namespace mailid::upstream {

/// Must a relay offer SMTPUTF8 (RFC 6531) to take this message? Only where the app asked for it and an address or
/// a header field really has an octet that is not ASCII: some libraries ask for it with every message.
bool needs_smtputf8(const delivery::Message& message);

}  // namespace mailid::upstream
