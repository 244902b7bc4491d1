#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/catalogue/catalogue.hpp"
#include "sidecar/spool/body.hpp"

namespace mailid::delivery {

/// What delivery needs to know of a message's own header (RFC 5322 section 3.6).
struct MessageHeader {
  bool begins_with_text = false;  ///< neither with a field nor with the empty line: the message has no header
  bool has_date = false;          ///< there is a Date field
  std::string message_id;         ///< value of the first Message-ID field, empty where there is none
  bool has_message_id = false;    ///< there is a Message-ID field
  std::vector<std::string> from;  ///< value of each From field, unfolded, in their order
};

/// Reads a header as a suspicious reader does: a name may have spaces before its colon, also folded ones, lines that are
/// no field are passed over, and every From field counts up to the first empty line, so that no other reader of the message can
/// find a sender that we have not seen. Line ends are CRLF.
MessageHeader parse_message_header(std::string_view header);

/// Octets that a header may have, also that of a message which is nothing but header.
inline constexpr std::size_t kMaxHeader = 262'144;

/// The header of a message without the empty line (only that where the header is empty); MessageTooLarge beyond kMaxHeader, or what the disk says.
catalogue::Result<std::string> read_header(const spool::Body& body);

}  // namespace mailid::delivery
