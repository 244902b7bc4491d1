#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/clock.hpp"

namespace mailid::base {

enum class LogLevel { Debug, Info, Warning, Error };

/// One member of a log line. There is no field for a Secret, on purpose.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  LogField(std::string_view field, std::string_view text) : name(field), value(text) {}
  LogField(std::string_view field, const std::string& text) : name(field), value(std::string_view(text)) {}
  LogField(std::string_view field, const char* text) : name(field), value(std::string_view(text)) {}
  LogField(std::string_view field, bool flag) : name(field), value(flag) {}
  LogField(std::string_view field, double number) : name(field), value(number) {}
  template <std::integral I>
  LogField(std::string_view field, I number) : name(field), value(static_cast<std::int64_t>(number)) {}
};

/// Writes one JSON object a line: time, level, message, then the fields in the order given.
///
/// A line of up to PIPE_BUF octets goes out in one write(2), so lines of several threads never mix; control bytes are
/// escaped, so one event is always one line. A line that can't be written at once is lost, never waited for.
class Log {
 public:
  using Sink = std::function<void(std::string_view line)>;

  /// Writes to standard error.
  explicit Log(const Clock& clock, LogLevel least = LogLevel::Info);
  /// Writes to `sink`, each line with its newline.
  Log(const Clock& clock, LogLevel least, Sink sink);

  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) const;

 private:
  void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const;

  const Clock* clock_;
  LogLevel least_;
  Sink sink_;
};

/// `b***@contoso.com`: enough of an address to recognise it in a log, not enough to collect it.
std::string redact_address(std::string_view address);

}  // namespace mailid::base
