#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mailid::server {

/// Who a message is from and for, as the app said it in MAIL and RCPT (RFC 5321 section 2.3.1).
struct Envelope {
  std::string sender;                          ///< without angle brackets; empty for `<>`
  std::vector<std::string> recipients;         ///< without angle brackets, in the app's order, at least one
  bool smtputf8 = false;                       ///< the app asked for SMTPUTF8 (RFC 6531)
  bool eight_bit = false;                      ///< the app said BODY=8BITMIME (RFC 6152)
  std::optional<std::uint64_t> declared_size;  ///< the SIZE= parameter (RFC 1870), in octets
};

}  // namespace mailid::server
