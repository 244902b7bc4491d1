#include "common/net/timer.hpp"

#include <utility>

namespace mailid::net {
namespace {

class SystemAlarm final : public Timer::Alarm {
 public:
  SystemAlarm(const asio::any_io_executor& executor, base::SteadyTime when, std::function<void()> ring)
      : state_(std::make_shared<State>(executor, when, std::move(ring))) {
    state_->timer.async_wait([state = state_](error_code) {
      // Moved out first: ringing may end the alarm, and with it this function.
      if (const auto rings = std::exchange(state->ring, nullptr); rings) rings();
    });
  }
  SystemAlarm(const SystemAlarm&) = delete;
  SystemAlarm& operator=(const SystemAlarm&) = delete;

  ~SystemAlarm() override {
    // The handler may be in the executor's queue already, where cancel() comes too late.
    state_->ring = nullptr;
    error_code ignored;
    state_->timer.cancel(ignored);
  }

 private:
  struct State {
    State(const asio::any_io_executor& executor, base::SteadyTime when, std::function<void()> rings)
        : timer(executor, when), ring(std::move(rings)) {}
    asio::steady_timer timer;
    std::function<void()> ring;
  };

  std::shared_ptr<State> state_;
};

}  // namespace

asio::awaitable<void> Timer::wait_until(base::SteadyTime when) {
  Wakeup never(co_await asio::this_coro::executor);
  co_await never.wait(*this, when);
}

asio::awaitable<void> Timer::wait_for(base::Duration duration) {
  co_await wait_until(now() + duration);
}

base::SteadyTime SystemTimer::now() const {
  return std::chrono::steady_clock::now();
}

std::unique_ptr<Timer::Alarm> SystemTimer::set_alarm(base::SteadyTime when, std::function<void()> ring) {
  return std::make_unique<SystemAlarm>(executor_, when, std::move(ring));
}

void Wakeup::wake() {
  woken_ = true;
  error_code ignored;
  gate_.cancel(ignored);
}

asio::awaitable<bool> Wakeup::wait(Timer& timer, base::SteadyTime deadline) {
  if (!woken_ && timer.now() < deadline) {
    // The gate never opens by itself: cancelling it is how both the waker and the alarm end the wait.
    gate_.expires_at(base::SteadyTime::max());
    auto ring = [this] {
      error_code ignored;
      gate_.cancel(ignored);
    };
    const auto alarm = timer.set_alarm(deadline, std::move(ring));
    error_code cancelled;
    co_await gate_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  }
  co_return std::exchange(woken_, false);
}

}  // namespace mailid::net
