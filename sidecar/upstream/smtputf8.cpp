#include "sidecar/upstream/smtputf8.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace mailid::upstream {
namespace {

bool is_ascii(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; });
}

/// Looks at the body up to the empty line that ends the header.
bool header_is_ascii(const spool::Body& body) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  std::array<char, 4096> buffer;
  std::size_t matched = 2;  // A body that begins with an empty line has no header.
  for (std::uint64_t offset = 0;;) {
    const auto count = body.read_at(offset, buffer);
    // What can't be read fails where it is sent.
    if (!count || *count == 0) return true;
    for (const char c : std::string_view(buffer.data(), *count)) {
      if (!is_ascii({&c, 1})) return false;
      if (c != kEnd[matched]) matched = 0;
      if (c == kEnd[matched]) ++matched;
      if (matched == kEnd.size()) return true;
    }
    offset += *count;
  }
}

}  // namespace

bool needs_smtputf8(const delivery::Message& message) {
  const auto& envelope = *message.envelope;
  if (!envelope.smtputf8) return false;
  return !is_ascii(envelope.sender) || !std::ranges::all_of(envelope.recipients, is_ascii) ||
         !header_is_ascii(*message.body);
}

}  // namespace mailid::upstream
