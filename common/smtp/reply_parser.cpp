#include "common/smtp/reply_parser.hpp"

#include <algorithm>
#include <utility>

namespace mailid::smtp {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The code of a reply line (`250`, `250 text`, `250-text`), 0 where it is none.
int code_of(std::string_view line) {
  const bool digits = line.size() >= 3 && is_digit(line[0]) && is_digit(line[1]) && is_digit(line[2]);
  if (!digits || line[0] < '2' || line[0] > '5') return 0;
  if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return 0;
  return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

/// The enhanced status code that `text` begins with (RFC 2034 section 4): its class is the code's first digit.
std::string_view enhanced_of(int code, std::string_view text) {
  const auto word = text.substr(0, text.find(' '));
  if (word.empty() || word[0] - '0' != code / 100 || code / 100 == 3) return {};
  std::size_t at = 1;
  for (int part = 0; part < 2; ++part) {
    if (at >= word.size() || word[at] != '.') return {};
    const auto begin = ++at;
    while (at < word.size() && is_digit(word[at])) ++at;
    if (at == begin || at - begin > 3) return {};
  }
  return at == word.size() ? word : std::string_view{};
}

}  // namespace

std::size_t ReplyParser::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (state_ == State::Incomplete && taken < bytes.size()) {
    const auto rest = bytes.substr(taken);
    const auto end = rest.find('\n');
    const auto piece = rest.substr(0, end);
    // One octet more than a line may have: its CR.
    if (line_.size() + piece.size() > kMaxLine + 1) {
      state_ = State::Invalid;
      return taken;
    }
    line_ += piece;
    taken += piece.size();
    if (end == std::string_view::npos) break;
    ++taken;
    end_line();
  }
  return taken;
}

void ReplyParser::end_line() {
  if (line_.ends_with('\r')) line_.pop_back();
  size_ += line_.size();
  const int code = code_of(line_);
  const bool follows = !reply_.lines.empty();
  const bool too_much = line_.size() > kMaxLine || size_ > kMaxReply || reply_.lines.size() >= kMaxLines;
  if (code == 0 || too_much || (follows && code != reply_.code)) {
    state_ = State::Invalid;
    return;
  }
  reply_.code = code;
  const bool last = line_.size() == 3 || line_[3] == ' ';
  std::string_view text = std::string_view(line_).substr(std::min<std::size_t>(line_.size(), 4));
  const auto enhanced = enhanced_of(code, text);
  if (reply_.enhanced.empty()) reply_.enhanced = enhanced;
  if (!enhanced.empty() && enhanced == reply_.enhanced) {
    text.remove_prefix(std::min(text.size(), enhanced.size() + 1));
  }
  reply_.lines.emplace_back(text);
  line_.clear();
  if (last) state_ = State::Complete;
}

Reply ReplyParser::take() {
  state_ = State::Incomplete;
  size_ = 0;
  return std::exchange(reply_, {});
}

}  // namespace mailid::smtp
