#include "sidecar/upstream/pool.hpp"

#include <utility>

namespace mailid::upstream {
namespace {

constexpr std::string_view kConnections = "mail_sidecar_upstream_connections";

}  // namespace

ConnectionGauge::ConnectionGauge(base::Metrics& metrics) : metrics_(&metrics) {
  metrics.describe_gauge(kConnections, "Connections to relays, by state: in_use or idle.");
  change_in_use(0);
  change_idle(0);
}

void ConnectionGauge::change(std::string_view state, int value) {
  metrics_->set(kConnections, {{"state", state}}, value);
}

struct Pool::Waiter {
  explicit Waiter(Pool& pool) : called(pool.executor_), pool_(&pool) {
    place_ = pool.waiting_.insert(pool.waiting_.end(), this);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    if (!granted) pool_->waiting_.erase(place_);
  }

  net::Wakeup called;
  bool granted = false;  ///< it has a slot and is not in the line any more

 private:
  Pool* pool_;
  std::list<Waiter*>::iterator place_;
};

struct Pool::Idle {
  Connection connection;
  std::unique_ptr<net::Timer::Alarm> alarm;
};

Pool::Pool(asio::any_io_executor executor, net::Timer& timer, ConnectionGauge& gauge,
           std::chrono::seconds idle_time)
    : executor_(std::move(executor)), timer_(&timer), gauge_(&gauge), idle_time_(idle_time) {}

Pool::~Pool() {
  drain();
}

asio::awaitable<std::optional<Pool::Slot>> Pool::acquire(std::uint32_t limit, base::SteadyTime deadline) {
  limit_ = limit;
  Waiter waiter(*this);
  grant();
  if (!waiter.granted) co_await waiter.called.wait(*timer_, deadline);
  if (!waiter.granted) co_return std::nullopt;
  co_return Slot(*this);
}

void Pool::grant() {
  while (in_use_ < limit_ && !waiting_.empty()) {
    auto* next = waiting_.front();
    waiting_.pop_front();
    next->granted = true;
    ++in_use_;
    gauge_->change_in_use(1);
    next->called.wake();
  }
}

void Pool::release() {
  --in_use_;
  gauge_->change_in_use(-1);
  grant();
}

std::optional<Connection> Pool::take_idle(std::uint64_t generation) {
  while (!idle_.empty()) {
    const auto last = std::prev(idle_.end());
    const bool good = last->connection.generation == generation && last->connection.session.stream.quiet();
    if (!good) {
      end_idle(last);
      continue;
    }
    std::optional<Connection> taken(std::move(last->connection));
    idle_.erase(last);
    gauge_->change_idle(-1);
    return taken;
  }
  return std::nullopt;
}

void Pool::keep(Connection connection) {
  if (draining_) {
    smtp::quit(connection.session.stream);
    return;
  }
  const auto place = idle_.insert(idle_.end(), Idle{std::move(connection), nullptr});
  place->alarm = timer_->set_alarm(timer_->now() + idle_time_, [this, place] { end_idle(place); });
  gauge_->change_idle(1);
}

void Pool::end_idle(std::list<Idle>::iterator idle) {
  smtp::quit(idle->connection.session.stream);
  // The alarm that calls this may be the one that is erased, so it goes last of all.
  const auto alarm = std::move(idle->alarm);
  idle_.erase(idle);
  gauge_->change_idle(-1);
}

void Pool::drain() {
  draining_ = true;
  while (!idle_.empty()) end_idle(idle_.begin());
}

}  // namespace mailid::upstream
