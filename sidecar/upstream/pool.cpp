#include "sidecar/upstream/pool.hpp"

#include <algorithm>
#include <utility>

namespace mailid::upstream {

Pool::Place::~Place() {
  if (pool_) pool_->give_back();
}

Pool::Pool(asio::any_io_executor executor, net::Timer& timer, base::Duration idle_time,
           std::function<void()> changed)
    : executor_(std::move(executor)), timer_(&timer), idle_time_(idle_time), changed_(std::move(changed)) {}

asio::awaitable<std::optional<Pool::Place>> Pool::wait_for_place(std::uint32_t limit,
                                                                 base::SteadyTime deadline) {
  limit_ = std::max<std::size_t>(limit, 1);
  const auto self = shared_from_this();
  const auto waiter = std::make_shared<Waiter>(executor_);
  waiting_.push_back(waiter);
  call_next();
  if (!waiter->has_place) co_await waiter->called.wait(*timer_, deadline);
  if (!waiter->has_place) co_return std::nullopt;
  co_return Place(self);
}

std::optional<Connection> Pool::take(std::uint64_t generation) {
  std::optional<Connection> taken;
  while (!taken && !kept_.empty()) {
    auto connection = std::move(kept_.back().connection);
    kept_.pop_back();
    if (connection.generation == generation && connection.session.stream.quiet()) {
      taken = std::move(connection);
    } else {
      smtp::quit(connection.session.stream);
    }
  }
  tell();
  return taken;
}

void Pool::keep(Connection connection) {
  if (draining_) {
    smtp::quit(connection.session.stream);
    return;
  }
  kept_.push_back({std::move(connection), timer_->now() + idle_time_});
  if (!alarm_) set_alarm();
  tell();
}

void Pool::make_room() {
  while (!kept_.empty() && in_use_ + kept_.size() > limit_) {
    smtp::quit(kept_.front().connection.session.stream);
    kept_.erase(kept_.begin());
  }
  tell();
}

void Pool::drain() {
  draining_ = true;
  alarm_.reset();
  for (auto& kept : kept_) smtp::quit(kept.connection.session.stream);
  kept_.clear();
  tell();
}

void Pool::retire() {
  changed_ = nullptr;
  waiting_.clear();
  drain();
}

void Pool::call_next() {
  while (!waiting_.empty() && in_use_ < limit_) {
    const auto next = waiting_.front().lock();
    waiting_.pop_front();
    if (!next) continue;
    next->has_place = true;
    ++in_use_;
    next->called.wake();
  }
  tell();
}

void Pool::give_back() {
  --in_use_;
  call_next();
}

/// Gives up what has been kept for too long.
void Pool::expire() {
  const auto now = timer_->now();
  const auto first = std::ranges::find_if(kept_, [now](const Kept& kept) { return kept.until > now; });
  std::for_each(kept_.begin(), first, [](Kept& kept) { smtp::quit(kept.connection.session.stream); });
  kept_.erase(kept_.begin(), first);
  set_alarm();
  tell();
}

void Pool::set_alarm() {
  // One alarm for all: who is kept first must go first, and most are used again before it rings.
  alarm_ = kept_.empty() ? nullptr : timer_->set_alarm(kept_.front().until, [this] { expire(); });
}

void Pool::tell() const {
  if (changed_) changed_();
}

}  // namespace mailid::upstream
