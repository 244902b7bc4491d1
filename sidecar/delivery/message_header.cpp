#include "sidecar/delivery/message_header.hpp"

#include <algorithm>
#include <span>

#include "common/base/encoding.hpp"

namespace mailid::delivery {
namespace {

// Most headers fit into one look.
constexpr std::size_t kStep = 4096;

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

bool is_name_octet(char c) {
  return c > ' ' && c < 0x7f && c != ':';
}

/// The name in front of a line's colon, or empty where the line is no field.
std::string_view field_name(std::string_view line) {
  const auto end = std::find_if_not(line.begin(), line.end(), is_name_octet);
  const auto colon = std::find_if_not(end, line.end(), is_space);
  if (colon == line.end() || *colon != ':') return {};
  return line.substr(0, static_cast<std::size_t>(end - line.begin()));
}

std::string_view field_value(std::string_view line) {
  const auto value = line.substr(line.find(':') + 1);
  const auto from = value.find_first_not_of(" \t");
  return from == std::string_view::npos ? std::string_view() : value.substr(from);
}

/// Takes one line off the front, without its end.
std::string_view next_line(std::string_view& rest) {
  const auto end = rest.find("\r\n");
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
  return line;
}

}  // namespace

MessageHeader parse_message_header(std::string_view header) {
  MessageHeader found;
  for (bool first = true; !header.empty(); first = false) {
    std::string line(next_line(header));
    if (line.empty()) break;
    // Unfolded before its name is looked for: some readers find `From` though its colon is on the next line.
    while (!header.empty() && is_space(header.front())) line.append(next_line(header));
    const auto name = field_name(line);
    found.begins_with_text = first && name.empty();
    if (found.begins_with_text) break;
    if (base::iequals(name, "from")) {
      found.from.emplace_back(field_value(line));
    } else if (base::iequals(name, "date")) {
      found.has_date = true;
    } else if (base::iequals(name, "message-id") && !found.has_message_id) {
      found.has_message_id = true;
      found.message_id = field_value(line);
    }
  }
  return found;
}

catalogue::Result<std::string> read_header(const spool::Body& body) {
  std::string header;
  while (header.size() < kMaxHeader) {
    const auto known = header.size();
    header.resize(known + kStep);
    const auto count = body.read_at(known, std::span(header).subspan(known));
    if (!count) return base::Unexpected{count.error()};
    header.resize(known + *count);
    if (header.starts_with("\r\n")) return std::string("\r\n");
    // The empty line may begin in what was read before.
    const auto end = header.find("\r\n\r\n", known < 3 ? 0 : known - 3);
    if (end != std::string::npos) {
      header.resize(end + 2);
      return header;
    }
    if (*count == 0) return header;
  }
  return base::Unexpected{
      catalogue::Failure{catalogue::Reason::MessageTooLarge,
                         "its header has more than " + std::to_string(kMaxHeader) + " octets"}};
}

}  // namespace mailid::delivery
