#include "sidecar/delivery/trace_header.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>

namespace mailid::delivery {
namespace {

constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

bool is_domain_octet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/// The mailbox's domain where it is plain ASCII, else a name that nobody owns.
std::string_view id_domain(std::string_view mailbox) {
  const auto domain = mailbox.substr(mailbox.rfind('@') + 1);
  const bool plain = !domain.empty() && std::all_of(domain.begin(), domain.end(), is_domain_octet);
  return plain ? domain : "mail-sidecar.invalid";
}

}  // namespace

std::string format_mail_date(base::Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{}, {} {} {:04} {:02}:{:02}:{:02} +0000", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::string new_message_id(const Trace& trace) {
  return fmt::format("<{}@{}>", trace.id, id_domain(trace.mailbox));
}

std::string trace_header(const MessageHeader& header, const Trace& trace) {
  const auto date = format_mail_date(trace.now);
  auto fields = fmt::format("Received: from localhost by mail-sidecar with {} id {};\r\n\t{}\r\n",
                            trace.smtputf8 ? "UTF8SMTP" : "ESMTP", trace.id, date);
  if (!header.has_date) fields += fmt::format("Date: {}\r\n", date);
  if (!header.has_message_id) fields += fmt::format("Message-ID: {}\r\n", new_message_id(trace));
  if (header.begins_with_text) fields += "\r\n";
  return fields;
}

}  // namespace mailid::delivery
