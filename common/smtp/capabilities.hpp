#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/smtp/reply.hpp"

namespace mailid::smtp {

/// What a relay offers in its reply to EHLO (RFC 5321 section 4.1.1.1).
struct Capabilities {
  bool starttls = false;
  bool pipelining = false;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  bool size = false;                    ///< the SIZE parameter of MAIL may be used
  std::vector<std::string> mechanisms;  ///< of AUTH, upper case

  bool offers_mechanism(std::string_view name) const;

  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

/// Keywords in any case; unknown ones are ignored. The first line is the greeting and not a keyword.
Capabilities parse_capabilities(const Reply& ehlo);

}  // namespace mailid::smtp
