#include "operator/kube/work_queue.hpp"

#include <algorithm>
#include <utility>

namespace mailid::kube {
namespace {

constexpr std::string_view kDepth = "workqueue_depth";
constexpr std::string_view kAdds = "workqueue_adds_total";
constexpr std::string_view kRetries = "workqueue_retries_total";
constexpr std::string_view kQueueDuration = "workqueue_queue_duration_seconds";
constexpr std::string_view kWorkDuration = "workqueue_work_duration_seconds";
constexpr std::string_view kUnfinished = "workqueue_unfinished_work_seconds";
constexpr std::string_view kLongest = "workqueue_longest_running_processor_seconds";

double seconds(base::SteadyTime::duration time) {
  return std::chrono::duration<double>(time).count();
}

/// controller-runtime's own, so that a dashboard made for it fits.
std::vector<double> buckets() {
  return {1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000};
}

}  // namespace

WorkQueue::WorkQueue(boost::asio::any_io_executor executor, net::Timer& timer, base::Metrics& metrics,
                     std::string name, RateLimits limits)
    : executor_(std::move(executor)),
      timer_(&timer),
      metrics_(&metrics),
      name_(std::move(name)),
      limiter_(limits) {
  metrics_->describe_gauge(kDepth, "Keys that wait for a worker.");
  metrics_->describe_counter(kAdds, "Keys added.");
  metrics_->describe_counter(kRetries, "Keys added for later.");
  metrics_->describe_histogram(kQueueDuration, "How long a key waited for a worker.", buckets());
  metrics_->describe_histogram(kWorkDuration, "How long a worker had a key.", buckets());
  metrics_->describe_gauge(kUnfinished, "Seconds of work under way, all workers together.");
  metrics_->describe_gauge(kLongest, "Seconds that the longest work under way has taken.");
  metrics_->add(kAdds, {{"name", name_}, {"controller", name_}}, 0);
  metrics_->add(kRetries, {{"name", name_}, {"controller", name_}}, 0);
  show_depth();
  refresh_metrics();
}

void WorkQueue::add(const std::string& key) {
  if (shut_down_ || !dirty_.insert(key).second) return;
  metrics_->add(kAdds, {{"name", name_}, {"controller", name_}});
  if (!working_.contains(key)) enqueue(key);
}

void WorkQueue::add_after(const std::string& key, base::Duration delay) {
  if (shut_down_) return;
  metrics_->add(kRetries, {{"name", name_}, {"controller", name_}});
  if (delay <= base::Duration::zero()) return add(key);
  const auto when = timer_->now() + delay;
  auto& delayed = delayed_[key];
  if (delayed.alarm && delayed.when <= when) return;
  delayed.when = when;
  delayed.alarm = timer_->set_alarm(when, [this, key] { delayed_is_due(key); });
}

void WorkQueue::add_rate_limited(const std::string& key) {
  add_after(key, limiter_.next(key, timer_->now()));
}

void WorkQueue::forget(const std::string& key) {
  limiter_.forget(key);
}

boost::asio::awaitable<std::optional<std::string>> WorkQueue::get() {
  while (queue_.empty() && !shut_down_) {
    const auto gate = std::make_shared<net::Wakeup>(executor_);
    idle_.push_back(gate);
    co_await gate->wait(*timer_, base::SteadyTime::max());
  }
  if (shut_down_) co_return std::nullopt;

  auto key = std::move(queue_.front());
  queue_.pop_front();
  dirty_.erase(key);
  const auto now = timer_->now();
  metrics_->observe(kQueueDuration, {{"name", name_}, {"controller", name_}}, seconds(now - added_[key]));
  added_.erase(key);
  working_[key] = now;
  show_depth();
  co_return key;
}

void WorkQueue::done(const std::string& key) {
  const auto work = working_.find(key);
  if (work == working_.end()) return;
  metrics_->observe(kWorkDuration, {{"name", name_}, {"controller", name_}},
                    seconds(timer_->now() - work->second));
  working_.erase(work);
  if (dirty_.contains(key) && !shut_down_) enqueue(key);
}

void WorkQueue::shut_down() {
  shut_down_ = true;
  delayed_.clear();
  while (!idle_.empty()) wake_one();
}

void WorkQueue::refresh_metrics() {
  double all = 0;
  double longest = 0;
  for (const auto& [key, since] : working_) {
    const auto time = seconds(timer_->now() - since);
    all += time;
    longest = std::max(longest, time);
  }
  metrics_->set(kUnfinished, {{"name", name_}, {"controller", name_}}, all);
  metrics_->set(kLongest, {{"name", name_}, {"controller", name_}}, longest);
}

void WorkQueue::enqueue(const std::string& key) {
  queue_.push_back(key);
  added_[key] = timer_->now();
  show_depth();
  wake_one();
}

void WorkQueue::wake_one() {
  if (idle_.empty()) return;
  idle_.front()->wake();
  idle_.pop_front();
}

void WorkQueue::delayed_is_due(std::string key) {
  delayed_.erase(key);
  add(key);
}

void WorkQueue::show_depth() {
  metrics_->set(kDepth, {{"name", name_}, {"controller", name_}}, static_cast<double>(queue_.size()));
}

}  // namespace mailid::kube
