#pragma once

#include <functional>
#include <memory>

#include "common/base/clock.hpp"
#include "common/net/asio.hpp"

namespace mailid::net {

/// Waiting on the steady clock, for everything that waits in product code. Tests give one whose time they
/// move themselves (tests/fakes/fake_timer.hpp). Not thread-safe: lives on its executor's thread.
class Timer {
 public:
  /// An alarm that is set. Ending the object silences it for certain, even if it was about to ring.
  class Alarm {
   public:
    virtual ~Alarm() = default;
  };

  virtual ~Timer() = default;
  virtual base::SteadyTime now() const = 0;
  /// Calls `ring` once when `when` has come, at the earliest after this call has returned.
  [[nodiscard]] virtual std::unique_ptr<Alarm> set_alarm(base::SteadyTime when,
                                                         std::function<void()> ring) = 0;

  /// Returns when `when` has come; at once if it is past.
  asio::awaitable<void> wait_until(base::SteadyTime when);
  asio::awaitable<void> wait_for(base::Duration duration);
};

/// The machine's steady clock on an executor.
class SystemTimer final : public Timer {
 public:
  explicit SystemTimer(asio::any_io_executor executor) : executor_(std::move(executor)) {}
  base::SteadyTime now() const override;
  std::unique_ptr<Alarm> set_alarm(base::SteadyTime when, std::function<void()> ring) override;

 private:
  asio::any_io_executor executor_;
};

/// A place where one coroutine waits until another calls it or its time is up.
class Wakeup {
 public:
  explicit Wakeup(const asio::any_io_executor& executor) : gate_(executor) {}
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  /// Ends the wait under way, or the next one at once.
  void wake();
  /// @return true if woken, false if `deadline` came first
  asio::awaitable<bool> wait(Timer& timer, base::SteadyTime deadline);

 private:
  asio::steady_timer gate_;
  bool woken_ = false;
};

}  // namespace mailid::net
