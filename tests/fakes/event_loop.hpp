#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "common/net/asio.hpp"

namespace mailid::fakes {

/// An io_context with the verbs that a test of coroutines needs. Fails instead of hanging; what a coroutine
/// throws comes out of the verb that lets it go on.
class EventLoop {
 public:
  /// Where the result of something under way will be.
  template <class T>
  using Place = std::shared_ptr<std::optional<T>>;

  asio::io_context& context() { return io_; }
  asio::any_io_executor executor() { return io_.get_executor(); }

  /// Begins something and lets it go on as far as it comes by itself.
  template <class T>
  Place<T> begin(asio::awaitable<T> coroutine) {
    auto place = std::make_shared<std::optional<T>>();
    asio::co_spawn(io_, keep(std::move(coroutine), place), rethrow);
    poll();
    return place;
  }

  /// Lets everything go on until the result is there.
  template <class T>
  T& wait_for(const Place<T>& place) {
    run_until([&place] { return place->has_value(); });
    return **place;
  }

  /// Runs one coroutine, and whatever else is under way, until it ends, and gives its result.
  template <class T>
  T run(asio::awaitable<T> coroutine) {
    const auto place = begin(std::move(coroutine));
    return std::move(wait_for(place));
  }

  void run(asio::awaitable<void> coroutine) { run(with_result(std::move(coroutine))); }

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
  // co_spawn would need a result that can be made out of nothing.
  template <class T>
  static asio::awaitable<void> keep(asio::awaitable<T> coroutine, Place<T> place) {
    place->emplace(co_await std::move(coroutine));
  }
  static asio::awaitable<bool> with_result(asio::awaitable<void> coroutine) {
    co_await std::move(coroutine);
    co_return true;
  }
  static void rethrow(const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
  }

  asio::io_context io_{1};
};

}  // namespace mailid::fakes
