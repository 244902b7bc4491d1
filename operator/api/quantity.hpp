#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mailid::api {

/// A quantity of Kubernetes (resource.Quantity) that counts something: `25Mi`, `1.5G`, `1e6`, `26214400`. What is
/// less than one of it is rounded up, as Kubernetes does. Nothing where it is none, negative, or above 2^64 - 1.
std::optional<std::uint64_t> parse_quantity(std::string_view text);

/// A duration as Go writes it (time.ParseDuration), which is what Kubernetes takes: `25s`, `1m30s`, `1.5h`, `0`.
/// What is less than a millisecond is cut off. Nothing where it is none, negative, or more than 10,000 h.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace mailid::api
