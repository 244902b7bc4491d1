#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mailid::smtp {

/// An SMTP reply (RFC 5321 section 4.2) with its enhanced status code (RFC 2034) taken out of the text.
struct Reply {
  int code = 0;                    ///< 200..599
  std::string enhanced;            ///< `5.7.1`, or empty where the server gave none
  std::vector<std::string> lines;  ///< the texts without code and enhanced code, at least one, maybe empty

  /// All lines joined by one space.
  std::string text() const;
  bool positive() const { return code >= 200 && code < 400; }
  bool transient() const { return code >= 400 && code < 500; }
  bool permanent() const { return code >= 500 && code < 600; }

  friend bool operator==(const Reply&, const Reply&) = default;
};

/// A reply of one line.
Reply make_reply(int code, std::string_view enhanced, std::string_view text);

/// The bytes on the wire: every line with code and enhanced code, CRLF ends; control bytes in the text become
/// spaces and lines are cut at 500 octets, so that nothing that a relay said can break our own dialogue.
std::string format(const Reply& reply);

}  // namespace mailid::smtp
