#include "operator/kube/watch_decoder.hpp"

namespace mailid::kube {

void WatchDecoder::feed(std::string_view bytes) {
  buffer_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  buffer_.append(bytes);
}

base::Expected<std::optional<WatchLine>, std::string> WatchDecoder::next() {
  const auto newline = buffer_.find('\n', searched_);
  if (newline == std::string::npos) {
    searched_ = buffer_.size();
    if (searched_ - begin_ > kLineLimit)
      return base::Unexpected{std::string("a line of the watch has no end")};
    if (begin_ == searched_) {
      // Nothing is left over, so the room that a large object took can go.
      buffer_ = std::string();
      begin_ = searched_ = 0;
    }
    return std::optional<WatchLine>();
  }
  const auto line = std::string_view(buffer_).substr(begin_, newline - begin_);
  auto read = read_watch_line(line);
  begin_ = searched_ = newline + 1;
  if (!read) return base::Unexpected{std::string("a line of the watch is no event")};
  return read;
}

}  // namespace mailid::kube
