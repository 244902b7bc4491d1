#include "sidecar/server/data_reader.hpp"

#include <algorithm>

namespace mailid::server {
namespace {

using namespace std::string_view_literals;

constexpr auto kSpecial = "\r\n\0"sv;

}  // namespace

std::size_t DataReader::feed(std::string_view bytes, std::string& message) {
  std::size_t taken = 0;
  while (taken < bytes.size() && state_ != State::Ended) {
    if (state_ == State::Text) {
      const auto run = std::min(bytes.find_first_of(kSpecial, taken), bytes.size());
      message += bytes.substr(taken, run - taken);
      taken = run;
      if (taken == bytes.size()) break;
    }
    take(bytes[taken], message);
    ++taken;
  }
  return taken;
}

void DataReader::take(char byte, std::string& message) {
  switch (state_) {
    case State::LineStart:
      if (byte == '.') {
        state_ = State::Dot;
        return;
      }
      break;
    case State::Dot:
      if (byte == '\r') {
        state_ = State::DotCr;
        return;
      }
      if (byte == '\n') message += '.';
      break;
    case State::DotCr:
      if (byte == '\n') {
        state_ = State::Ended;
        return;
      }
      message += ' ';
      break;
    case State::TextCr:
      if (byte == '\n') {
        message += "\r\n";
        state_ = State::LineStart;
        return;
      }
      message += ' ';
      break;
    case State::Text:
    case State::Ended:
      break;
  }
  take_text(byte, message);
}

void DataReader::take_text(char byte, std::string& message) {
  state_ = State::Text;
  if (byte == '\n') {
    message += "\r\n";
  } else if (byte == '\r') {
    state_ = State::TextCr;
  } else if (byte == '\0') {
    saw_nul_ = true;
  } else {
    message += byte;
  }
}

}  // namespace mailid::server
