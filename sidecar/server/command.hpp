#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/expected.hpp"
#include "common/smtp/reply.hpp"
#include "sidecar/server/envelope.hpp"

namespace mailid::server {

/// What a client wants (RFC 5321 section 4.1.1).
enum class Verb : std::uint8_t {
  Ehlo,
  Helo,
  Mail,
  Rcpt,
  Data,
  Rset,
  Noop,
  Vrfy,
  Quit,
  Auth,
  NotOffered,  ///< a command of SMTP that is left out here on purpose: BDAT, STARTTLS, EXPN...
  Http,        ///< no SMTP at all: a browser or a TLS client
  Unknown,
};

/// A command line taken apart. Views into the line.
struct Command {
  Verb verb;
  std::string_view argument;  ///< without spaces around it; for MAIL and RCPT what stands behind the colon
};

/// Reads a line without its end; verbs in any case. A line that holds control bytes is Unknown whatever it says.
Command parse_command(std::string_view line);

/// Can't be the first octet of SMTP: commands begin with a letter.
bool is_foreign(char first_octet);

/// MAIL's path and parameters SIZE, BODY, SMTPUTF8, and AUTH where `auth_offered` (RFC 1870, 6152, 6531, 4954).
/// @return an envelope without recipients, or the reply that says what is wrong
base::Expected<Envelope, smtp::Reply> parse_mail(std::string_view argument, bool auth_offered);

/// RCPT's path; there are no parameters.
/// @param smtputf8  MAIL has said SMTPUTF8, so that the address may hold UTF-8
/// @return the address, or the reply that says what is wrong
base::Expected<std::string, smtp::Reply> parse_rcpt(std::string_view argument, bool smtputf8);

}  // namespace mailid::server
