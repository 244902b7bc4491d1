#pragma once

#include <string>
#include <string_view>

#include "common/base/expected.hpp"

namespace mailid::server {

/// Octets that an address may have: RFC 5321's path of 256 without its brackets.
inline constexpr std::size_t kMaxAddress = 254;

/// A path of MAIL or RCPT and what stands behind it.
struct Path {
  std::string address;      ///< without angle brackets and source route; empty for `<>`
  std::string_view behind;  ///< the parameters, without the spaces before them
};

/// Reads `<address>` (RFC 5321 section 4.1.2 Reverse-path, Forward-path), with or without its brackets and with
/// spaces in front, as apps write it. A source route is dropped, as the RFC wants it.
///
/// The address has a domain or is `postmaster`, and nothing in it can be taken for anything else when it is
/// put between brackets again: no control bytes, no space or bracket outside a quoted local part. It may hold UTF-8.
///
/// @return the path, or a word or two that say what is wrong
base::Expected<Path, std::string> parse_path(std::string_view text);

/// Only ASCII, so that it needs no SMTPUTF8 (RFC 6531).
bool is_ascii(std::string_view text);

}  // namespace mailid::server
