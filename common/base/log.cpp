#include "common/base/log.hpp"

#include <algorithm>
#include <climits>
#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <poll.h>
#include <unistd.h>

#include "common/base/encoding.hpp"
#include "common/base/log_level.hpp"

namespace mailid::base {
namespace {

bool takes_more(int descriptor) {
  pollfd state{descriptor, POLLOUT, 0};
  return ::poll(&state, 1, 0) == 1 && (state.revents & POLLOUT) != 0;
}

/// A line that does not fit loses its end: whoever reads our log is slow or gone, and waiting for it would stop the mail.
void write_to_stderr(std::string_view line) {
  // A pipe that takes anything takes PIPE_BUF octets without waiting, and no more than that for certain.
  while (!line.empty() && takes_more(STDERR_FILENO)) {
    const auto written = ::write(STDERR_FILENO, line.data(), std::min<std::size_t>(line.size(), PIPE_BUF));
    if (written <= 0) return;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

struct ToJson {
  std::string operator()(std::string_view text) const { return json_quote(text); }
  std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
  std::string operator()(double number) const {
    return std::isfinite(number) ? fmt::format("{}", number) : "null";
  }
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
};

}  // namespace

Log::Log(const Clock& clock, LogLevel least) : Log(clock, least, write_to_stderr) {}

Log::Log(const Clock& clock, LogLevel least, Sink sink)
    : clock_(&clock), least_(least), sink_(std::move(sink)) {}

void Log::debug(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::Debug, message, fields);
}

void Log::info(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::Info, message, fields);
}

void Log::warning(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::Warning, message, fields);
}

void Log::error(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::Error, message, fields);
}

void Log::write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const {
  if (level < least_) return;
  auto line = fmt::format(R"({{"time":"{}","level":"{}","message":{})", format_rfc3339(clock_->now()),
                          log_level_name(level), json_quote(message));
  for (const auto& field : fields) {
    line.append(",").append(json_quote(field.name)).append(":").append(std::visit(ToJson{}, field.value));
  }
  line += "}\n";
  sink_(line);
}

std::string redact_address(std::string_view address) {
  const auto at = address.rfind('@');
  if (at == std::string_view::npos || at == 0) return "***";
  return fmt::format("{}***{}", address.substr(0, 1), address.substr(at));
}

}  // namespace mailid::base
