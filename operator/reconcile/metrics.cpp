#include "operator/reconcile/metrics.hpp"

#include <chrono>

namespace mailid::reconcile {

void describe_metrics(base::Metrics& metrics) {
  metrics.describe_gauge(kReadyMetric, "1 where the identity's condition Ready is True, else 0.");
  metrics.describe_gauge(kExpirationMetric, "When the token in the identity's Secret ends.");
  metrics.describe_counter(kRequestsMetric, "Calls of token endpoints, by what came of them.");
  metrics.describe_histogram(kRequestDurationMetric, "How long calls of token endpoints took.",
                             {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10});
  metrics.describe_counter(kReconcileMetric, "Reconciles, by result.");
  metrics.describe_counter(kReconcileErrorsMetric, "Reconciles that failed.");
  metrics.describe_counter(kReconcilePanicsMetric, "Reconciles that ended in an exception, which is a bug.");
  metrics.describe_histogram(kReconcileTimeMetric, "How long reconciles took.",
                             {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60});
  metrics.describe_gauge(kActiveWorkersMetric, "Reconciles under way.");
  metrics.describe_gauge(kMaxConcurrentMetric, "Reconciles that may be under way at once.");
  for (const auto* result : {"success", "requeue_after", "requeue", "error"}) {
    metrics.add(kReconcileMetric, {{"controller", kControllerName}, {"result", result}}, 0);
  }
  metrics.add(kReconcileErrorsMetric, {{"controller", kControllerName}}, 0);
  metrics.add(kReconcilePanicsMetric, {{"controller", kControllerName}}, 0);
}

void show_identity(base::Metrics& metrics, const api::Metadata& identity, const api::Status& status) {
  const base::Labels labels = {{"namespace", identity.name_space}, {"name", identity.name}};
  metrics.set(kReadyMetric, labels, api::is_true(status.conditions, api::kReady) ? 1 : 0);
  if (!status.token || !status.token->expiration_time) {
    metrics.remove(kExpirationMetric, labels);
    return;
  }
  const auto expires = status.token->expiration_time->time_since_epoch();
  metrics.set(kExpirationMetric, labels, std::chrono::duration<double>(expires).count());
}

void forget_identity(base::Metrics& metrics, std::string_view name_space, std::string_view name) {
  const base::Labels labels = {{"namespace", name_space}, {"name", name}};
  metrics.remove(kReadyMetric, labels);
  metrics.remove(kExpirationMetric, labels);
}

}  // namespace mailid::reconcile
