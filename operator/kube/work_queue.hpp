#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "common/base/metrics.hpp"
#include "common/net/timer.hpp"
#include "operator/kube/rate_limiter.hpp"

namespace mailid::kube {

/// Keys of objects to look at, each at most once at a time (client-go's workqueue).
///
/// A key that is added while it waits is in the queue once; added while a worker has it, it comes again after that
/// worker's done(). Any number of workers on one thread. Shows `workqueue_*` with the labels that controller-runtime
/// gives (`name`, `controller`).
class WorkQueue {
 public:
  /// All references must outlive this; the queue must outlive its workers.
  WorkQueue(boost::asio::any_io_executor executor, net::Timer& timer, base::Metrics& metrics,
            std::string name, RateLimits limits = {});

  /// To be looked at as soon as a worker is free.
  void add(const std::string& key);
  /// The same after a while; of several such calls for a key the earliest counts.
  void add_after(const std::string& key, base::Duration delay);
  /// The same after the key's back-off: 5 ms, doubled with each call since forget(), at most 1,000 s; all keys
  /// together 10 a second after the first 100.
  void add_rate_limited(const std::string& key);
  /// The key is well: its next back-off begins anew. Does not take it out of the queue.
  void forget(const std::string& key);
  /// How often add_rate_limited() was called for the key since it was well.
  int failures(const std::string& key) const { return limiter_.failures(key); }

  /// Waits for a key; the caller owes done(key) for it. Nothing once shut_down() was called.
  boost::asio::awaitable<std::optional<std::string>> get();
  /// The worker has finished with the key, whatever came of it.
  void done(const std::string& key);

  /// Takes nothing in any more and lets every get() end with nothing.
  void shut_down();
  /// How many keys wait for a worker.
  std::size_t size() const { return queue_.size(); }
  /// Brings the gauges of running work up to date; for whoever renders the metrics.
  void refresh_metrics();

 private:
  struct Delayed {
    base::SteadyTime when;
    std::unique_ptr<net::Timer::Alarm> alarm;
  };

  void enqueue(const std::string& key);
  void wake_one();
  void delayed_is_due(std::string key);  // by value: its alarm ends with the entry
  void show_depth();

  boost::asio::any_io_executor executor_;
  net::Timer* timer_;
  base::Metrics* metrics_;
  std::string name_;
  RateLimiter limiter_;
  std::deque<std::string> queue_;
  std::set<std::string, std::less<>> dirty_;  ///< to be looked at, in the queue or after done()
  std::map<std::string, base::SteadyTime, std::less<>> added_;    ///< since when a key of the queue waits
  std::map<std::string, base::SteadyTime, std::less<>> working_;  ///< since when a worker has a key
  std::map<std::string, Delayed, std::less<>> delayed_;
  std::deque<std::shared_ptr<net::Wakeup>> idle_;  ///< workers that wait, the longest first
  bool shut_down_ = false;
};

}  // namespace mailid::kube
