#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "common/net/timer.hpp"

namespace mailid::fakes {

/// A timer whose time stands still until a test moves it.
///
/// Let the io_context run out of work (io.poll()) before advance(), so that whoever waits has set its alarm, and
/// after it, so that those who were called go on.
class FakeTimer final : public net::Timer {
 public:
  base::SteadyTime now() const override { return now_; }

  /// An alarm that is due already rings at the next advance(), also at one by nothing.
  std::unique_ptr<Alarm> set_alarm(base::SteadyTime when, std::function<void()> ring) override {
    const Key key(when, ++last_);
    alarms_->emplace(key, std::move(ring));
    return std::make_unique<SetAlarm>(alarms_, key);
  }

  /// Moves the time and rings what has become due, in its order; also alarms that are set by those that ring.
  void advance(base::Duration by) {
    const auto end = now_ + by;
    while (!alarms_->empty() && alarms_->begin()->first.first <= end) {
      const auto first = alarms_->begin();
      now_ = std::max(now_, first->first.first);
      const auto ring = std::move(first->second);
      alarms_->erase(first);
      ring();
    }
    now_ = end;
  }

  /// Alarms that are set and have not rung.
  std::size_t waiting() const { return alarms_->size(); }

 private:
  using Key = std::pair<base::SteadyTime, std::uint64_t>;  ///< when, and in the order they were set
  using Alarms = std::map<Key, std::function<void()>>;

  class SetAlarm final : public Alarm {
   public:
    SetAlarm(std::shared_ptr<Alarms> alarms, Key key) : alarms_(std::move(alarms)), key_(std::move(key)) {}
    SetAlarm(const SetAlarm&) = delete;
    SetAlarm& operator=(const SetAlarm&) = delete;
    ~SetAlarm() override { alarms_->erase(key_); }

   private:
    std::shared_ptr<Alarms> alarms_;
    Key key_;
  };

  base::SteadyTime now_{std::chrono::hours(1)};
  std::uint64_t last_ = 0;
  // Shared with the alarms: a coroutine that still waits may outlive the timer.
  std::shared_ptr<Alarms> alarms_ = std::make_shared<Alarms>();
};

}  // namespace mailid::fakes
