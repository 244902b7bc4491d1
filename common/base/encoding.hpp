#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"

namespace mailid::base {

/// Standard base64 with padding, on one line (RFC 4648 section 4).
std::string base64_encode(std::string_view bytes);

/// The bytes, or nothing where `text` is not strict standard base64 (padding needed, no white space).
std::optional<std::string> base64_decode(std::string_view text);

/// The bytes of base64url without padding (RFC 4648 section 5), as JWTs use it; nothing where it is not.
std::optional<std::string> base64url_decode(std::string_view text);

/// `2026-11-24T05:06:07Z`: RFC 3339 in UTC and whole seconds, as Kubernetes writes times.
std::string format_rfc3339(Time time);

/// Reads RFC 3339 with `Z` or an offset and an optional fraction; nothing where it is anything else.
std::optional<Time> parse_rfc3339(std::string_view text);

/// `application/x-www-form-urlencoded` encoding of one name or value (WHATWG URL, space as `+`).
std::string form_urlencode(std::string_view text);

/// `text` as a JSON string with its quotes; control bytes escaped, bytes that are not UTF-8 replaced.
std::string json_quote(std::string_view text);

/// Valid UTF-8 throughout (RFC 3629): nothing overlong, no surrogates.
bool is_utf8(std::string_view text);

/// Equal but for the case of ASCII letters.
bool iequals(std::string_view a, std::string_view b);

}  // namespace mailid::base
