#pragma once

#include "common/base/clock.hpp"

namespace mailid::fakes {

/// A clock that stands still until a test moves it. Begins at 2026-11-24T00:00:00Z.
class FakeClock final : public base::Clock {
 public:
  base::Time now() const override { return time; }
  base::SteadyTime steady_now() const override { return steady; }

  /// Both kinds of time go on.
  void advance(base::Duration by) {
    time += by;
    steady += by;
  }

  base::Time time{std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)};
  base::SteadyTime steady{std::chrono::hours(1)};
};

}  // namespace mailid::fakes
