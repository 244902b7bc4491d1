#include "operator/oauth/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace mailid::oauth {
namespace {

using std::chrono::seconds;

constexpr seconds kLongestWait{24 * 3600};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// The digits at a place of the text as a number; nothing where not all of them are digits.
std::optional<unsigned> digits(std::string_view text, std::size_t begin, std::size_t count) {
  unsigned number = 0;
  const auto* first = text.data() + begin;
  const auto [end, error] = std::from_chars(first, first + count, number);
  return error == std::errc() && end == first + count ? std::optional(number) : std::nullopt;
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the form that senders must use (RFC 9110 section 5.6.7).
std::optional<base::Time> parse_http_date(std::string_view text) {
  constexpr std::string_view kForm = "Sun, 06 Nov 1994 08:49:37 GMT";
  if (text.size() != kForm.size() || !text.ends_with(" GMT") || text.substr(3, 2) != ", ")
    return std::nullopt;
  if (text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':')
    return std::nullopt;
  const auto* month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const auto day = digits(text, 5, 2);
  const auto year = digits(text, 12, 4);
  const auto hour = digits(text, 17, 2);
  const auto minute = digits(text, 20, 2);
  const auto second = digits(text, 23, 2);
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const auto date = std::chrono::year(static_cast<int>(*year)) /
                    static_cast<int>(month - kMonths.begin() + 1) / static_cast<int>(*day);
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return base::Time(std::chrono::sys_days(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         seconds(*second);
}

}  // namespace

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, base::Time now) {
  const bool number =
      !value.empty() && std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (number) {
    std::int64_t count = 0;
    const auto error = std::from_chars(value.data(), value.data() + value.size(), count).ec;
    return error == std::errc() ? std::min(seconds(count), kLongestWait) : kLongestWait;
  }
  const auto date = parse_http_date(value);
  if (!date) return std::nullopt;
  return std::clamp(std::chrono::ceil<seconds>(*date - now), seconds(0), kLongestWait);
}

}  // namespace mailid::oauth
