#include "common/smtp/reply.hpp"

#include <algorithm>

namespace mailid::smtp {
namespace {

constexpr std::size_t kMaxLineOnWire = 500;

/// Control bytes end as spaces: a reply is quoted from a peer that we don't trust.
void append_clean(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
}

/// Shortens to `limit` octets without leaving half of a UTF-8 character.
void cut(std::string& line, std::size_t limit) {
  if (line.size() <= limit) return;
  while (limit > 0 && (static_cast<unsigned char>(line[limit]) & 0xc0) == 0x80) --limit;
  line.resize(limit);
}

}  // namespace

std::string Reply::text() const {
  std::string joined;
  for (const std::string& line : lines) {
    if (!joined.empty() && !line.empty()) joined += ' ';
    joined += line;
  }
  return joined;
}

Reply make_reply(int code, std::string_view enhanced, std::string_view text) {
  Reply reply;
  reply.code = code;
  reply.enhanced = enhanced;
  reply.lines.emplace_back(text);
  return reply;
}

std::string format(const Reply& reply) {
  static const std::vector<std::string> no_text{std::string()};
  const auto& lines = reply.lines.empty() ? no_text : reply.lines;
  std::string wire;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string line = std::to_string(reply.code);
    line += i + 1 < lines.size() ? '-' : ' ';
    if (!reply.enhanced.empty()) {
      append_clean(line, reply.enhanced);
      if (!lines[i].empty()) line += ' ';
    }
    append_clean(line, lines[i]);
    cut(line, kMaxLineOnWire);
    wire += line;
    wire += "\r\n";
  }
  return wire;
}

}  // namespace mailid::smtp
