#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "common/base/clock.hpp"

namespace mailid::oauth {

/// `Retry-After` as seconds or as the date that senders must use (RFC 9110 sections 10.2.3 and 5.6.7), clamped to
/// [0, 1 day]; nothing where it is neither.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value, base::Time now);

}  // namespace mailid::oauth
