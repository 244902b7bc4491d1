#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/smtp/reply.hpp"

namespace mailid::smtp {

/// Reads one SMTP reply after the other from bytes as they come, in pieces of any size.
///
/// Takes `LF` for `CRLF` at the end of a line, as servers are met in the wild. A reply is invalid, for good,
/// where a line is no reply line, where the lines' codes differ, or beyond the limits below: whoever
/// answers then is not a relay.
class ReplyParser {
 public:
  static constexpr std::size_t kMaxLine = 4096;    ///< octets of one line, without its end
  static constexpr std::size_t kMaxLines = 256;    ///< lines of one reply
  static constexpr std::size_t kMaxReply = 65536;  ///< octets of one reply

  enum class State { Incomplete, Complete, Invalid };

  /// Takes bytes up to the end of the reply and no further.
  /// @return how many octets were taken: all of them unless the reply is now complete or invalid
  std::size_t feed(std::string_view bytes);
  State state() const { return state_; }
  /// The complete reply; the parser is then ready for the next one.
  Reply take();

 private:
  void end_line();

  State state_ = State::Incomplete;
  Reply reply_;
  std::string line_;
  std::size_t size_ = 0;
};

}  // namespace mailid::smtp
