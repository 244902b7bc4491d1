#pragma once

#include <string>
#include <string_view>

namespace mailid::smtp {

/// A message on its way into DATA (RFC 5321 section 4.5.2), in pieces of any size: the result does not depend
/// on where they are cut.
///
/// A dot after any LF is doubled, also after one without CR, so that no reading of line ends on the other side
/// can find an end of data inside the message.
class DotStuffer {
 public:
  /// Appends the octets as they go on the wire.
  void write(std::string_view octets, std::string& wire);
  /// Appends the end of data, after a CRLF if the message does not end with one.
  void finish(std::string& wire);

 private:
  bool line_start_ = true;
  bool after_cr_ = false;
  bool after_crlf_ = true;
};

}  // namespace mailid::smtp
