#pragma once

#include <cstddef>
#include <string>

#include "common/base/log.hpp"
#include "common/base/metrics.hpp"
#include "common/net/timer.hpp"
#include "operator/kube/client.hpp"
#include "operator/kube/work_queue.hpp"
#include "operator/reconcile/reconciler.hpp"

namespace mailid::reconcile {

/// Feeds a Reconciler: events of the watch become keys in the work queue, and a bounded number of workers takes them
/// from there. A reconcile that ends in an exception is that identity's failure, counted and tried again, and
/// nobody else's.
class Controller final : public kube::WatchHandler {
 public:
  /// Reconciles that may be under way at once.
  static constexpr std::size_t kWorkers = 16;

  /// All references must outlive the executor's last run.
  Controller(asio::any_io_executor executor, kube::WorkQueue& queue, Reconciler& reconciler,
             net::Timer& timer, base::Metrics& metrics, const base::Log& log);

  /// Spawns the workers.
  void start();
  /// Takes no more keys, and returns when what is under way has ended or `grace` is over.
  asio::awaitable<void> stop(base::Duration grace);

  void on_event(kube::WatchEvent event) override;
  void on_synced() override { synced_ = true; }
  /// Whether every identity that there was at the start is known.
  bool synced() const { return synced_; }

 private:
  asio::awaitable<void> work();
  asio::awaitable<void> take(std::string key);
  void settle(const std::string& key, const Outcome& outcome);
  void count(const char* result, base::SteadyTime began);

  asio::any_io_executor executor_;
  kube::WorkQueue* queue_;
  Reconciler* reconciler_;
  net::Timer* timer_;
  base::Metrics* metrics_;
  const base::Log* log_;
  net::Wakeup idle_;
  std::size_t active_ = 0;
  bool synced_ = false;
};

}  // namespace mailid::reconcile
