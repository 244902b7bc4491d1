#include "operator/api/quantity.hpp"

#include <algorithm>
#include <charconv>

namespace mailid::api {
namespace {

/// A decimal number without exponent: digits * 10^-places.
struct Decimal {
  std::uint64_t digits = 0;
  int places = 0;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes `12`, `1.5`, `.5` or `5.` off the front; nothing where there is no digit or there are too many.
std::optional<Decimal> take_decimal(std::string_view& text) {
  Decimal number;
  bool any = false;
  bool behind_point = false;
  for (; !text.empty() && (is_digit(text.front()) || (text.front() == '.' && !behind_point));
       text.remove_prefix(1)) {
    if (text.front() == '.') {
      behind_point = true;
      continue;
    }
    any = true;
    if (__builtin_mul_overflow(number.digits, std::uint64_t{10}, &number.digits) ||
        __builtin_add_overflow(number.digits, static_cast<std::uint64_t>(text.front() - '0'),
                               &number.digits)) {
      return std::nullopt;
    }
    if (behind_point) ++number.places;
  }
  return any ? std::optional(number) : std::nullopt;
}

/// What a suffix of a quantity multiplies by: 2^two * 10^ten.
struct Scale {
  int two = 0;
  int ten = 0;
};

struct Suffix {
  std::string_view text;
  Scale scale;
};
constexpr Suffix kSuffixes[] = {
    {"", {}},        {"Ki", {10, 0}}, {"Mi", {20, 0}}, {"Gi", {30, 0}}, {"Ti", {40, 0}}, {"Pi", {50, 0}},
    {"Ei", {60, 0}}, {"n", {0, -9}},  {"u", {0, -6}},  {"m", {0, -3}},  {"k", {0, 3}},   {"M", {0, 6}},
    {"G", {0, 9}},   {"T", {0, 12}},  {"P", {0, 15}},  {"E", {0, 18}},
};

std::optional<Scale> scale_of(std::string_view suffix) {
  for (const auto& known : kSuffixes) {
    if (known.text == suffix) return known.scale;
  }
  if (!suffix.starts_with('e') && !suffix.starts_with('E')) return std::nullopt;
  suffix.remove_prefix(1);
  if (suffix.starts_with('+') && suffix.size() > 1 && is_digit(suffix[1])) suffix.remove_prefix(1);
  Scale scale;
  const auto [end, error] = std::from_chars(suffix.data(), suffix.data() + suffix.size(), scale.ten);
  const bool sane = error == std::errc() && end == suffix.data() + suffix.size() && scale.ten > -100;
  return sane && scale.ten < 100 ? std::optional(scale) : std::nullopt;
}

struct Unit {
  std::string_view text;
  std::uint64_t nanoseconds;
};
constexpr Unit kUnits[] = {
    {"ns", 1},          {"us", 1'000},        {"\u00B5s", 1'000},  // micro sign
    {"\u03BCs", 1'000},                                            // Greek letter mu
    {"ms", 1'000'000},  {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000},
};
constexpr std::uint64_t kLongest = std::uint64_t{10'000} * 3'600'000'000'000;

/// Takes one `number unit` off the front, in nanoseconds.
std::optional<std::uint64_t> take_part(std::string_view& text) {
  const auto number = take_decimal(text);
  if (!number) return std::nullopt;
  const auto stop = std::find_if(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; });
  const auto name = text.substr(0, static_cast<std::size_t>(stop - text.begin()));
  const auto* unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                  [name](const Unit& known) { return known.text == name; });
  if (unit == std::end(kUnits)) return std::nullopt;
  text.remove_prefix(name.size());
  // long double holds 64 bits of mantissa here, far more than the milliseconds that are wanted.
  auto value = static_cast<long double>(number->digits) * static_cast<long double>(unit->nanoseconds);
  for (int place = 0; place < number->places; ++place) value /= 10;
  return value <= static_cast<long double>(kLongest) ? std::optional(static_cast<std::uint64_t>(value))
                                                     : std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_quantity(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto number = take_decimal(text);
  const auto scale = number ? scale_of(text) : std::nullopt;
  if (!scale) return std::nullopt;

  auto value = number->digits;
  if (__builtin_mul_overflow(value, std::uint64_t{1} << scale->two, &value)) return std::nullopt;
  int ten = scale->ten - number->places;
  for (; ten > 0 && value > 0; --ten) {
    if (__builtin_mul_overflow(value, std::uint64_t{10}, &value)) return std::nullopt;
  }
  bool cut_off = false;
  for (; ten < 0 && value > 0; ++ten) {
    cut_off = cut_off || value % 10 != 0;
    value /= 10;
  }
  return cut_off ? value + 1 : value;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::milliseconds(0);
  if (text.empty()) return std::nullopt;
  std::uint64_t nanoseconds = 0;
  while (!text.empty()) {
    const auto part = take_part(text);
    if (!part || *part > kLongest - nanoseconds) return std::nullopt;
    nanoseconds += *part;
  }
  return std::chrono::milliseconds(nanoseconds / 1'000'000);
}

}  // namespace mailid::api
