#include "operator/reconcile/controller.hpp"

#include <exception>
#include <fmt/format.h>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/json/object.hpp"
#include "operator/reconcile/metrics.hpp"

namespace mailid::reconcile {
namespace {

constexpr std::pair<std::string_view, std::string_view> kController{"controller", kControllerName};

std::optional<std::string> key_of(std::string_view object) {
  const auto value = json::parse(object);
  if (!value) return std::nullopt;
  std::vector<std::string> wrong;
  const auto metadata = json::Object(*value, "", wrong).object("metadata");
  const auto name_space = metadata.required_text("namespace");
  const auto name = metadata.required_text("name");
  if (!wrong.empty()) return std::nullopt;
  return fmt::format("{}/{}", name_space, name);
}

}  // namespace

Controller::Controller(asio::any_io_executor executor, kube::WorkQueue& queue, Reconciler& reconciler,
                       net::Timer& timer, base::Metrics& metrics, const base::Log& log)
    : executor_(executor),
      queue_(&queue),
      reconciler_(&reconciler),
      timer_(&timer),
      metrics_(&metrics),
      log_(&log),
      idle_(executor) {
  describe_metrics(metrics);
  metrics.set(kMaxConcurrentMetric, {kController}, static_cast<double>(kWorkers));
  metrics.set(kActiveWorkersMetric, {kController}, 0);
}

void Controller::start() {
  for (std::size_t i = 0; i < kWorkers; ++i) asio::co_spawn(executor_, work(), asio::detached);
}

asio::awaitable<void> Controller::stop(base::Duration grace) {
  queue_->shut_down();
  const auto end = timer_->now() + grace;
  while (active_ > 0 && timer_->now() < end) co_await idle_.wait(*timer_, end);
}

void Controller::on_event(kube::WatchEvent event) {
  const auto key = key_of(event.object);
  if (!key) {
    log_->error("an event of the watch names no object");
    return;
  }
  queue_->add(*key);
}

asio::awaitable<void> Controller::work() {
  for (;;) {
    const auto key = co_await queue_->get();
    if (!key) co_return;
    metrics_->set(kActiveWorkersMetric, {kController}, static_cast<double>(++active_));
    co_await take(*key);
    metrics_->set(kActiveWorkersMetric, {kController}, static_cast<double>(--active_));
    idle_.wake();
  }
}

asio::awaitable<void> Controller::take(std::string key) {
  const auto began = timer_->now();
  try {
    const auto outcome = co_await reconciler_->reconcile(key);
    settle(key, outcome);
    count(outcome.kind == Outcome::Kind::LookAgain ? "requeue_after"
          : outcome.kind == Outcome::Kind::Gone    ? "success"
                                                   : "requeue",
          began);
  } catch (const std::exception& bug) {
    log_->error("a reconcile ended in an exception", {{"key", key}, {"error", bug.what()}});
    metrics_->add(kReconcilePanicsMetric, {kController});
    metrics_->add(kReconcileErrorsMetric, {kController});
    count("error", began);
    queue_->add_rate_limited(key);
  }
  queue_->done(key);
}

void Controller::settle(const std::string& key, const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::Retry) {
    queue_->add_rate_limited(key);
    return;
  }
  queue_->forget(key);
  if (outcome.kind == Outcome::Kind::LookAgain) queue_->add_after(key, outcome.after);
}

void Controller::count(const char* result, base::SteadyTime began) {
  const std::chrono::duration<double> took = timer_->now() - began;
  metrics_->add(kReconcileMetric, {kController, {"result", result}});
  metrics_->observe(kReconcileTimeMetric, {kController}, took.count());
}

}  // namespace mailid::reconcile
