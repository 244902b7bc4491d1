#include "sidecar/server/command.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>
#include <vector>

#include "common/base/encoding.hpp"
#include "sidecar/server/address.hpp"

namespace mailid::server {
namespace {

using smtp::make_reply;
using Refused = base::Unexpected<smtp::Reply>;

struct Name {
  std::string_view text;
  Verb verb;
};
constexpr Name kVerbs[] = {
    {"EHLO", Verb::Ehlo},           {"HELO", Verb::Helo},       {"DATA", Verb::Data},
    {"RSET", Verb::Rset},           {"NOOP", Verb::Noop},       {"VRFY", Verb::Vrfy},
    {"QUIT", Verb::Quit},           {"AUTH", Verb::Auth},       {"BDAT", Verb::NotOffered},
    {"STARTTLS", Verb::NotOffered}, {"EXPN", Verb::NotOffered}, {"HELP", Verb::NotOffered},
    {"ETRN", Verb::NotOffered},     {"BURL", Verb::NotOffered}, {"XCLIENT", Verb::NotOffered},
    {"XFORWARD", Verb::NotOffered}, {"TURN", Verb::NotOffered}, {"SEND", Verb::NotOffered},
    {"SAML", Verb::NotOffered},     {"SOML", Verb::NotOffered},
};
constexpr Name kPathVerbs[] = {{"MAIL FROM:", Verb::Mail}, {"RCPT TO:", Verb::Rcpt}};

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool is_http(std::string_view line) {
  return line.find(" HTTP/1.") != std::string_view::npos || line.find(" HTTP/2") != std::string_view::npos;
}

/// More than this room knows, and few enough to compare each with each.
constexpr std::size_t kMaxParameters = 8;

struct Parameter {
  std::string_view name;
  std::optional<std::string_view> value;
};

std::vector<Parameter> parameters(std::string_view text) {
  std::vector<Parameter> found;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    const auto equals = word.find('=');
    found.push_back({word.substr(0, equals), {}});
    if (equals != std::string_view::npos) found.back().value = word.substr(equals + 1);
    text = trimmed(text.substr(word.size()));
  }
  return found;
}

smtp::Reply bad_value(std::string_view name) {
  return make_reply(501, "5.5.4", std::string("Bad value of parameter ") + std::string(name));
}

smtp::Reply not_supported(std::string_view name) {
  return make_reply(555, "5.5.4", std::string("Parameter not supported: ") + std::string(name));
}

/// A number too large for us is still a number, and too large for everybody.
std::optional<std::uint64_t> size_value(std::string_view digits) {
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (digits.empty() || digits.size() > 20 || end != digits.data() + digits.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::numeric_limits<std::uint64_t>::max();
  if (error != std::errc()) return std::nullopt;
  return size;
}

/// Takes one parameter of MAIL over into the envelope; the reply where that can't be.
std::optional<smtp::Reply> apply(const Parameter& parameter, bool auth_offered, Envelope& envelope) {
  const auto& [name, value] = parameter;
  if (base::iequals(name, "SIZE")) {
    if (value) envelope.declared_size = size_value(*value);
    return envelope.declared_size ? std::nullopt : std::optional(bad_value(name));
  }
  if (base::iequals(name, "BODY")) {
    envelope.eight_bit = value && base::iequals(*value, "8BITMIME");
    const bool known = envelope.eight_bit || (value && base::iequals(*value, "7BIT"));
    return known ? std::nullopt : std::optional(bad_value(name));
  }
  if (base::iequals(name, "SMTPUTF8")) {
    envelope.smtputf8 = true;
    return value ? std::optional(bad_value(name)) : std::nullopt;
  }
  // Whom the message was first submitted by (RFC 4954 section 5): nobody here would believe it.
  if (auth_offered && base::iequals(name, "AUTH")) return std::nullopt;
  return not_supported(name);
}

bool has_twins(const std::vector<Parameter>& all) {
  for (auto one = all.begin(); one != all.end(); ++one) {
    if (std::any_of(one + 1, all.end(),
                    [one](const auto& other) { return base::iequals(one->name, other.name); })) {
      return true;
    }
  }
  return false;
}

smtp::Reply needs_smtputf8() {
  return make_reply(553, "5.6.7", "An address beyond ASCII needs SMTPUTF8 in MAIL FROM");
}

}  // namespace

Command parse_command(std::string_view line) {
  if (is_http(line)) return {Verb::Http, {}};
  if (std::any_of(line.begin(), line.end(), is_control)) return {Verb::Unknown, {}};
  for (const auto& [text, verb] : kPathVerbs) {
    if (base::iequals(line.substr(0, text.size()), text)) return {verb, trimmed(line.substr(text.size()))};
  }
  const auto word = line.substr(0, line.find(' '));
  for (const auto& [text, verb] : kVerbs) {
    if (base::iequals(word, text)) return {verb, trimmed(line.substr(word.size()))};
  }
  return {Verb::Unknown, {}};
}

bool is_foreign(char first_octet) {
  const bool letter =
      (first_octet >= 'a' && first_octet <= 'z') || (first_octet >= 'A' && first_octet <= 'Z');
  // An empty line is a mistake, not another protocol.
  return !letter && first_octet != '\r' && first_octet != '\n';
}

base::Expected<Envelope, smtp::Reply> parse_mail(std::string_view argument, bool auth_offered) {
  auto path = parse_path(argument);
  if (!path) return Refused{make_reply(501, "5.1.7", "Syntax: MAIL FROM:<address>, " + path.error())};
  Envelope envelope;
  envelope.sender = std::move(path->address);
  const auto all = parameters(path->behind);
  if (all.size() > kMaxParameters) return Refused{make_reply(501, "5.5.4", "Too many parameters")};
  if (has_twins(all)) return Refused{make_reply(501, "5.5.4", "A parameter is there twice")};
  for (const auto& parameter : all) {
    if (auto wrong = apply(parameter, auth_offered, envelope)) return Refused{std::move(*wrong)};
  }
  if (!envelope.smtputf8 && !is_ascii(envelope.sender)) return Refused{needs_smtputf8()};
  return envelope;
}

base::Expected<std::string, smtp::Reply> parse_rcpt(std::string_view argument, bool smtputf8) {
  auto path = parse_path(argument);
  if (path && path->address.empty()) path = base::Unexpected{std::string("no address")};
  if (!path) return Refused{make_reply(501, "5.1.3", "Syntax: RCPT TO:<address>, " + path.error())};
  if (!path->behind.empty())
    return Refused{not_supported(path->behind.substr(0, path->behind.find_first_of(" =")))};
  if (!smtputf8 && !is_ascii(path->address)) return Refused{needs_smtputf8()};
  return std::move(path->address);
}

}  // namespace mailid::server
