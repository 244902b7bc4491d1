#include "sidecar/server/address.hpp"

#include <algorithm>

#include "common/base/encoding.hpp"

namespace mailid::server {
namespace {

constexpr auto kNone = std::string_view::npos;

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool beyond_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}

/// atext of RFC 5322 with UTF-8 (RFC 6532). Dots may stand anywhere: mobile providers have such addresses.
bool is_local_character(char c) {
  return is_letter_or_digit(c) || beyond_ascii(c) ||
         std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != kNone;
}

/// How long the quoted string at the front is, with its quotes; 0 where it does not end.
std::size_t quoted_length(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return 0;
}

/// Where the closing bracket of a path is; brackets in a quoted local part don't count.
std::size_t closing_bracket(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '>') return i;
    if (text[i] != '"') continue;
    const auto length = quoted_length(text.substr(i));
    if (length == 0) return kNone;
    i += length - 1;
  }
  return kNone;
}

bool is_domain(std::string_view text) {
  if (text.size() > 2 && text.starts_with('[') && text.ends_with(']')) {
    const auto literal = text.substr(1, text.size() - 2);
    return std::all_of(literal.begin(), literal.end(),
                       [](char c) { return is_letter_or_digit(c) || c == '.' || c == ':' || c == '-'; });
  }
  if (text.empty() || text.starts_with('.') || text.ends_with('.') || text.find("..") != kNone) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter_or_digit(c) || beyond_ascii(c) || c == '.' || c == '-' || c == '_';
  });
}

/// What is wrong with an address, empty where nothing is.
std::string_view fault_of(std::string_view address) {
  if (address.size() > kMaxAddress) return "address longer than 254 octets";
  if (!base::is_utf8(address)) return "address is not UTF-8";
  std::size_t local = 0;
  if (address.starts_with('"')) {
    local = quoted_length(address);
    if (local == 0) return "quote without an end";
  } else {
    while (local < address.size() && is_local_character(address[local])) ++local;
  }
  if (local == address.size() && base::iequals(address, "postmaster")) return {};
  if (local == address.size()) return "address without a domain";
  if (local == 0 || address[local] != '@') return "bad character in the local part";
  if (!is_domain(address.substr(local + 1))) return "bad domain";
  return {};
}

}  // namespace

base::Expected<Path, std::string> parse_path(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const bool bracketed = text.starts_with('<');
  if (bracketed) text.remove_prefix(1);
  const auto end = bracketed ? closing_bracket(text) : std::min(text.find(' '), text.size());
  if (end == kNone) return base::Unexpected{std::string("no closing bracket")};
  auto address = text.substr(0, end);
  auto behind = text.substr(bracketed ? end + 1 : end);
  if (!behind.empty() && !behind.starts_with(' ')) {
    return base::Unexpected{std::string("no space behind the address")};
  }
  behind.remove_prefix(std::min(behind.find_first_not_of(' '), behind.size()));

  if (bracketed && address.empty()) return Path{{}, behind};
  if (const auto colon = address.find(':'); address.starts_with('@') && colon != kNone) {
    address.remove_prefix(colon + 1);
  }
  if (address.empty()) return base::Unexpected{std::string("no address")};
  if (const auto fault = fault_of(address); !fault.empty()) return base::Unexpected{std::string(fault)};
  return Path{std::string(address), behind};
}

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), beyond_ascii);
}

}  // namespace mailid::server
