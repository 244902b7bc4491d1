#pragma once

#include <cstdint>
#include <string_view>

#include "common/catalogue/reason.hpp"

namespace mailid::catalogue {

/// What the relay was answering to.
enum class Step : std::uint8_t { Connect, Greeting, Ehlo, StartTls, Auth, Mail, Rcpt, Data, Dot };

/// `RCPT`, `end of data`, ... for people.
std::string_view step_name(Step step);

/// Whose affair a relay's refusal is: the first row that fits of a table of what providers are known to say.
///
/// What no row knows is decided by the step: before MAIL it is never the message's fault; at MAIL, RCPT, DATA and
/// the final dot a 5xx is about the message and a 4xx passes by itself.
///
/// @param code      400..599; anything else is RelayProtocolError
/// @param enhanced  the enhanced status code, or empty
/// @param words     the reply's text; compared without regard to case
Reason classify_relay_reply(Step step, int code, std::string_view enhanced, std::string_view words);

}  // namespace mailid::catalogue
