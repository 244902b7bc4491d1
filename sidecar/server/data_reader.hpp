#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mailid::server {

/// What a client sends after 354, made into one unambiguous message (RFC 5321 section 4.5.2), in pieces of any
/// size: the result does not depend on where they are cut.
///
/// Only CRLF.CRLF ends it. Any other reading of a line end would let text in one message begin another, here or
/// further on. So a bare LF becomes CRLF, a bare CR becomes a space, and the dot that a client puts in front of a
/// line's dot is taken away; a line of one dot that does not end the message keeps it. Behind a bare LF every dot is
/// the text's own: clients that leave LF in their text (curl) put none in front there. NUL is left out and remembered:
/// such a message must not be sent.
class DataReader {
 public:
  /// Takes bytes up to the end of data and no further; appends the message's octets to `message`.
  /// @return how many bytes were taken: all of them unless the end has come
  std::size_t feed(std::string_view bytes, std::string& message);
  bool ended() const { return state_ == State::Ended; }
  bool saw_nul() const { return saw_nul_; }

 private:
  enum class State { LineStart, Dot, DotCr, Text, TextCr, Ended };

  void take(char byte, std::string& message);
  void take_text(char byte, std::string& message);

  State state_ = State::LineStart;
  bool saw_nul_ = false;
};

}  // namespace mailid::server
