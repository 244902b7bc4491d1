#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include "common/base/metrics.hpp"
#include "common/net/timer.hpp"
#include "common/smtp/login.hpp"

namespace mailid::upstream {

/// How many connections all pools together have, as `mail_sidecar_upstream_connections{state=in_use|idle}`.
class ConnectionGauge {
 public:
  explicit ConnectionGauge(base::Metrics& metrics);
  void change_in_use(int by) { change("in_use", in_use_ += by); }
  void change_idle(int by) { change("idle", idle_ += by); }

 private:
  void change(std::string_view state, int value);

  base::Metrics* metrics_;
  int in_use_ = 0;
  int idle_ = 0;
};

/// A logged-in connection, what it was made for and in which state it is.
struct Connection {
  smtp::LoggedIn session;
  std::uint64_t generation = 0;  ///< of the settings and the token that it was made with
  bool needs_reset = false;      ///< a transaction is unfinished on it
};

/// The connections of one identity: how many there may be at once, who waits for one, and those that nobody uses.
///
/// Not thread-safe. Must outlive every Slot and every acquire() under way.
class Pool {
 public:
  /// The right to have one connection; gives it to whoever waits next when it ends.
  class Slot {
   public:
    explicit Slot(Pool& pool) : pool_(&pool) {}
    Slot(Slot&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (pool_ != nullptr) pool_->release();
    }

   private:
    Pool* pool_;
  };

  Pool(asio::any_io_executor executor, net::Timer& timer, ConnectionGauge& gauge,
       std::chrono::seconds idle_time);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Waits, in the order of the calls, until fewer than `limit` slots are out; nothing where `deadline` came first.
  asio::awaitable<std::optional<Slot>> acquire(std::uint32_t limit, base::SteadyTime deadline);

  /// The connection of this generation that was used last and is still good. Those of other generations, which were
  /// made with an older token or other settings, end here.
  std::optional<Connection> take_idle(std::uint64_t generation);
  /// Keeps a connection for the next message, for the idle time. To be called while its slot is held.
  void keep(Connection connection);

  /// Says QUIT on every idle connection and keeps none from now on.
  void drain();

 private:
  struct Waiter;
  struct Idle;

  void release();
  void grant();
  void end_idle(std::list<Idle>::iterator idle);

  asio::any_io_executor executor_;
  net::Timer* timer_;
  ConnectionGauge* gauge_;
  std::chrono::seconds idle_time_;
  std::uint32_t limit_ = 1;
  std::uint32_t in_use_ = 0;
  std::list<Waiter*> waiting_;
  std::list<Idle> idle_;
  bool draining_ = false;
};

}  // namespace mailid::upstream
