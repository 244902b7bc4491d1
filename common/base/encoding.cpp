#include "common/base/encoding.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

namespace mailid::base {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Where each byte stands in the alphabet; 255 where it doesn't.
std::array<std::uint8_t, 256> places(std::string_view alphabet) {
  std::array<std::uint8_t, 256> table{};
  table.fill(255);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}

/// The bytes of text without padding; nothing where a character, the length or a spare bit is impossible.
std::optional<std::string> decode(std::string_view text, const std::array<std::uint8_t, 256>& table) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const auto digit = table[static_cast<unsigned char>(c)];
    if (digit == 255) return std::nullopt;
    bits = (bits << 6U) | digit;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>((bits >> count) & 0xFFU);
  }
  if ((bits & ((1U << count) - 1U)) != 0) return std::nullopt;
  return bytes;
}

/// Reads the fields of a time from front to back.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  /// A number of exactly `digits` digits from `least` to `most`.
  int number(std::size_t digits, int least, int most) {
    int value = 0;
    const auto field = rest_.substr(0, digits);
    ok_ = ok_ && field.size() == digits && std::all_of(field.begin(), field.end(), is_digit);
    if (!ok_) return 0;
    std::from_chars(field.data(), field.data() + field.size(), value);
    rest_.remove_prefix(digits);
    ok_ = value >= least && value <= most;
    return value;
  }

  void expect(std::string_view any_of) {
    ok_ = ok_ && !rest_.empty() && any_of.find(rest_.front()) != std::string_view::npos;
    if (ok_) rest_.remove_prefix(1);
  }

  /// The fraction behind a point, cut to milliseconds; zero where there is none.
  std::chrono::milliseconds fraction() {
    if (peek() != '.') return {};
    rest_.remove_prefix(1);
    ok_ = ok_ && is_digit(peek());
    int value = 0;
    int weight = 100;
    for (; is_digit(peek()); rest_.remove_prefix(1), weight /= 10) value += (rest_.front() - '0') * weight;
    return std::chrono::milliseconds(value);
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

/// The length of the valid UTF-8 sequence at the front (RFC 3629), 0 where there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto next = [&byte](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const auto first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return next(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return next(1) && next(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && byte(1) > 0x8F;
    return next(1) && next(2) && next(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = (bits << 8U) | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j) text += j <= count ? kStandard[(bits >> (18U - 6U * j)) & 63U] : '=';
  }
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  static const auto table = places(kStandard);
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return decode(text, table);
}

std::optional<std::string> base64url_decode(std::string_view text) {
  static const auto table = places(kUrl);
  return decode(text, table);
}

std::string format_rfc3339(Time time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<seconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<Time> parse_rfc3339(std::string_view text) {
  TimeReader reader(text);
  const std::chrono::year year(reader.number(4, 0, 9999));
  reader.expect("-");
  const std::chrono::month month(static_cast<unsigned>(reader.number(2, 1, 12)));
  reader.expect("-");
  const std::chrono::day day(static_cast<unsigned>(reader.number(2, 1, 31)));
  reader.expect("Tt ");
  const hours hour(reader.number(2, 0, 23));
  reader.expect(":");
  const minutes minute(reader.number(2, 0, 59));
  reader.expect(":");
  // 60 is a leap second, which this clock does not have: it becomes the second after.
  const seconds second(reader.number(2, 0, 60));
  const auto fraction = reader.fraction();

  minutes offset{0};
  const char sign = reader.peek();
  reader.expect("Zz+-");
  if (sign == '+' || sign == '-') {
    offset = hours(reader.number(2, 0, 23));
    reader.expect(":");
    offset += minutes(reader.number(2, 0, 59));
    if (sign == '-') offset = -offset;
  }
  const auto date = year / month / day;
  if (!reader.ok() || !reader.at_end() || !date.ok()) return std::nullopt;
  return Time(std::chrono::sys_days(date)) + hour + minute + second + fraction - offset;
}

std::string form_urlencode(std::string_view text) {
  std::string encoded;
  // In one piece from the beginning: of a secret, growing would leave copies behind that nobody wipes.
  encoded.reserve(text.size() * 3);
  for (const char c : text) {
    if (is_letter(c) || is_digit(c) || std::string_view("*-._").find(c) != std::string_view::npos) {
      encoded += c;
    } else if (c == ' ') {
      encoded += '+';
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string json_quote(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const auto character = text.substr(0, std::max<std::size_t>(length, 1));
    const auto code = static_cast<unsigned char>(character.front());
    if (length == 0) {
      quoted += kReplacement;
    } else if (code == '"' || code == '\\') {
      quoted.append("\\").append(character);
    } else if (code < 0x20 || code == 0x7F) {
      quoted += fmt::format("\\u{:04x}", code);
    } else {
      quoted += character;
    }
    text.remove_prefix(character.size());
  }
  return quoted += '"';
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool iequals(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace mailid::base
