#pragma once

#include <exception>
#include <gtest/gtest.h>
#include <optional>
#include <utility>

#include "common/net/asio.hpp"

namespace mailid::fakes {

/// An io_context with the verbs that a test of coroutines needs. Fails instead of hanging.
class EventLoop {
 public:
  asio::io_context& context() { return io_; }
  asio::any_io_executor executor() { return io_.get_executor(); }

  /// Runs one coroutine, and whatever else is under way, until it ends, and gives its result.
  template <class T>
  T run(asio::awaitable<T> coroutine) {
    std::optional<T> result;
    std::exception_ptr failure;
    auto keep = [&](const std::exception_ptr& thrown, T value) {
      failure = thrown;
      result.emplace(std::move(value));
    };
    asio::co_spawn(io_, std::move(coroutine), std::move(keep));
    run_until([&result] { return result.has_value(); });
    if (failure) std::rethrow_exception(failure);
    return std::move(result.value());
  }

  void run(asio::awaitable<void> coroutine) {
    bool ended = false;
    std::exception_ptr failure;
    auto keep = [&](const std::exception_ptr& thrown) {
      failure = thrown;
      ended = true;
    };
    asio::co_spawn(io_, std::move(coroutine), std::move(keep));
    run_until([&ended] { return ended; });
    if (failure) std::rethrow_exception(failure);
  }

  /// Lets everything go on until `condition` holds; throws if that takes ten seconds.
  template <class Condition>
  void run_until(Condition condition) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::seconds(10);
    while (!condition()) {
      if (Clock::now() > end) throw std::runtime_error("what the test waits for did not happen");
      if (io_.stopped()) io_.restart();
      io_.run_one_for(std::chrono::milliseconds(20));
    }
  }

  /// Lets everything go on that needs nobody else: no socket, no time.
  void poll() {
    if (io_.stopped()) io_.restart();
    io_.poll();
  }

 private:
  asio::io_context io_{1};
};

}  // namespace mailid::fakes
