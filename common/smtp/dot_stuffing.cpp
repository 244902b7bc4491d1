#include "common/smtp/dot_stuffing.hpp"

namespace mailid::smtp {

void DotStuffer::write(std::string_view octets, std::string& wire) {
  while (!octets.empty()) {
    const auto line = octets.substr(0, octets.find('\n') + 1);
    const auto piece = line.empty() ? octets : line;
    if (line_start_ && piece.front() == '.') wire += '.';
    wire += piece;

    line_start_ = !line.empty();
    const bool cr_before_last = piece.size() > 1 ? piece[piece.size() - 2] == '\r' : after_cr_;
    after_crlf_ = line_start_ && cr_before_last;
    after_cr_ = piece.back() == '\r';
    octets.remove_prefix(piece.size());
  }
}

void DotStuffer::finish(std::string& wire) {
  wire += after_crlf_ ? ".\r\n" : "\r\n.\r\n";
}

}  // namespace mailid::smtp
