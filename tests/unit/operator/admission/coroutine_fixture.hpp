#pragma once

#include <gmock/gmock.h>
#include <optional>

#include "common/net/asio.hpp"
#include "common/net/timer.hpp"
#include "tests/fakes/fake_kube_objects.hpp"

namespace mailid::admission {

/// Runs one coroutine after another on a thread of the test's own, with a clock that stands still.
class CoroutineTest : public testing::Test {
 protected:
  class StandingClock final : public base::Clock {
   public:
    base::Time now() const override { return time; }
    base::SteadyTime steady_now() const override { return {}; }
    base::Time time{std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)};
  };

  template <class T>
  T run(asio::awaitable<T> coroutine) {
    std::optional<T> result;
    auto keep = [&result](const std::exception_ptr& failure, T value) {
      EXPECT_FALSE(failure);
      result.emplace(std::move(value));
    };
    asio::co_spawn(io_, std::move(coroutine), std::move(keep));
    io_.restart();
    while (!result && io_.run_one() > 0) continue;
    return std::move(*result);
  }

  asio::io_context io_{1};
  net::SystemTimer timer_{io_.get_executor()};
  StandingClock clock_;
  std::string logged_;
  base::Log log_{clock_, base::LogLevel::Info, [this](std::string_view line) { logged_ += line; }};
  fakes::FakeKubeObjects kube_;
};

}  // namespace mailid::admission
