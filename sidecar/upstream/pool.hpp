#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "common/net/timer.hpp"
#include "common/smtp/login.hpp"

namespace mailid::upstream {

/// A connection that is logged in.
struct Connection {
  smtp::LoggedIn session;
  std::uint64_t generation = 0;  ///< of the credentials that it was logged in with
  bool needs_reset = false;      ///< an unfinished transaction must be cleared first
};

/// The connections of one identity: how many there may be at once, who comes next, and which are kept.
///
/// In use and kept together are never more than the limit. Made by make_shared: places that are taken keep it alive.
class Pool : public std::enable_shared_from_this<Pool> {
 public:
  /// The right to have one connection in use, until it ends; then whoever has waited longest is called.
  class Place {
   public:
    explicit Place(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    std::shared_ptr<Pool> pool_;
  };

  /// `changed` is called whenever in_use() or idle() may have changed. `timer` must live until retire().
  Pool(asio::any_io_executor executor, net::Timer& timer, base::Duration idle_time,
       std::function<void()> changed);

  /// Waits in order for one of `limit` places (at least one); nothing if `deadline` comes first.
  asio::awaitable<std::optional<Place>> wait_for_place(std::uint32_t limit, base::SteadyTime deadline);

  /// The connection of this generation that was used last. What is kept of other generations, or has been closed
  /// by the relay, is given up on the way.
  std::optional<Connection> take(std::uint64_t generation);
  /// Keeps a connection for the next message; for `idle_time` at most.
  void keep(Connection connection);
  /// Gives up kept connections until there is room for one more.
  void make_room();
  /// Says QUIT on every kept connection and keeps none from now on.
  void drain();
  /// The same, and nothing outside the pool is touched any more.
  void retire();

  std::size_t in_use() const { return in_use_; }
  std::size_t idle() const { return kept_.size(); }

 private:
  struct Waiter {
    explicit Waiter(const asio::any_io_executor& executor) : called(executor) {}
    net::Wakeup called;
    bool has_place = false;
  };
  struct Kept {
    Connection connection;
    base::SteadyTime until;
  };

  void call_next();
  void give_back();
  void expire();
  void set_alarm();
  void tell() const;

  asio::any_io_executor executor_;
  net::Timer* timer_;
  base::Duration idle_time_;
  std::function<void()> changed_;
  std::size_t limit_ = 1;
  std::size_t in_use_ = 0;
  std::deque<std::weak_ptr<Waiter>> waiting_;  ///< those that have given up have ended
  std::vector<Kept> kept_;                     ///< the one used last at the end
  std::unique_ptr<net::Timer::Alarm> alarm_;   ///< for the first of them
  bool draining_ = false;
};

}  // namespace mailid::upstream
