#pragma once

#include <chrono>

namespace mailid::base {

/// A moment of the calendar, for what other machines say and read (expiry, Date:).
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
/// A moment that never jumps, for waiting and for measuring.
using SteadyTime = std::chrono::steady_clock::time_point;
using Duration = std::chrono::milliseconds;

/// Where the program gets the time from. Tests give a clock of their own (tests/fakes/fake_clock.hpp).
class Clock {
 public:
  virtual ~Clock() = default;
  /// The calendar time. May jump when an administrator or NTP sets it.
  virtual Time now() const = 0;
  /// Time since some fixed moment. Never jumps.
  virtual SteadyTime steady_now() const = 0;
};

/// The machine's own clocks.
class SystemClock final : public Clock {
 public:
  Time now() const override;
  SteadyTime steady_now() const override;
};

}  // namespace mailid::base
