#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mailid::server {

/// Finds the line in bytes that come in pieces. A line may end with LF alone. Of a line that is too long only the
/// fact is kept, so memory doesn't grow with it.
class LineReader {
 public:
  static constexpr std::size_t kMaxLine = 2048;  ///< octets, without the line end

  LineReader() = default;
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  ~LineReader();

  /// Takes bytes up to the end of the line and no further.
  /// @return how many were taken; all of them without a complete line
  std::size_t feed(std::string_view bytes);
  bool complete() const { return complete_; }
  /// Nothing of the next line has come.
  bool empty() const { return line_.empty() && !too_long_ && !complete_; }
  bool too_long() const { return too_long_; }
  /// The complete line without its end, empty where it is too long; valid until next().
  std::string_view line() const { return line_; }
  /// Wipes the line (it may hold a password) and is ready for the next one.
  void next();

 private:
  std::string line_;
  bool complete_ = false;
  bool too_long_ = false;
};

}  // namespace mailid::server
