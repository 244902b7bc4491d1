#include "common/smtp/capabilities.hpp"

#include <algorithm>

#include "common/base/encoding.hpp"

namespace mailid::smtp {
namespace {

struct Keyword {
  std::string_view name;
  bool Capabilities::* offered;
};
constexpr Keyword kKeywords[] = {
    {"STARTTLS", &Capabilities::starttls},
    {"PIPELINING", &Capabilities::pipelining},
    {"8BITMIME", &Capabilities::eight_bit_mime},
    {"SMTPUTF8", &Capabilities::smtputf8},
    {"SIZE", &Capabilities::size},
};

/// Takes the next word off the front; empty at the end.
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const auto word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  return word;
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

void add_mechanisms(std::string_view names, Capabilities& capabilities) {
  for (auto name = take_word(names); !name.empty(); name = take_word(names)) {
    if (!capabilities.offers_mechanism(name)) capabilities.mechanisms.push_back(upper(name));
  }
}

void add(std::string_view line, Capabilities& capabilities) {
  // Old servers write `AUTH=LOGIN ...` beside or instead of the standard's `AUTH LOGIN ...`.
  constexpr std::string_view kOldAuth = "AUTH=";
  if (base::iequals(line.substr(0, kOldAuth.size()), kOldAuth)) {
    add_mechanisms(line.substr(kOldAuth.size()), capabilities);
    return;
  }
  const auto word = take_word(line);
  if (base::iequals(word, "AUTH")) add_mechanisms(line, capabilities);
  for (const Keyword& keyword : kKeywords) {
    if (base::iequals(word, keyword.name)) capabilities.*keyword.offered = true;
  }
}

}  // namespace

bool Capabilities::offers_mechanism(std::string_view name) const {
  return std::any_of(mechanisms.begin(), mechanisms.end(),
                     [name](const std::string& offered) { return base::iequals(offered, name); });
}

Capabilities parse_capabilities(const Reply& ehlo) {
  Capabilities capabilities;
  for (std::size_t i = 1; i < ehlo.lines.size(); ++i) add(ehlo.lines[i], capabilities);
  return capabilities;
}

}  // namespace mailid::smtp
