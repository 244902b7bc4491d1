#include "sidecar/server/line_reader.hpp"

#include <algorithm>

#include "common/base/secret.hpp"

namespace mailid::server {

LineReader::~LineReader() {
  base::wipe(line_);
}

std::size_t LineReader::feed(std::string_view bytes) {
  const auto end = bytes.find('\n');
  complete_ = end != std::string_view::npos;
  const auto text = bytes.substr(0, end);
  // One more than the longest line: the CR of its end.
  too_long_ = too_long_ || line_.size() + text.size() > kMaxLine + 1;
  if (too_long_) {
    base::wipe(line_);
  } else {
    line_ += text;
  }
  if (complete_ && line_.ends_with('\r')) line_.pop_back();
  if (complete_ && line_.size() > kMaxLine) {
    too_long_ = true;
    base::wipe(line_);
  }
  return complete_ ? end + 1 : bytes.size();
}

void LineReader::next() {
  base::wipe(line_);
  // An idle client is to cost little.
  std::string().swap(line_);
  complete_ = false;
  too_long_ = false;
}

}  // namespace mailid::server
