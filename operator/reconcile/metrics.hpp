#pragma once

#include <string_view>

#include "common/base/metrics.hpp"
#include "operator/api/mail_identity.hpp"

namespace mailid::reconcile {

/// The numbers of the controller; `controller_runtime_*` as controller-runtime names and labels them.
inline constexpr std::string_view kReadyMetric = "mailidentity_ready";
inline constexpr std::string_view kExpirationMetric = "mailidentity_token_expiration_timestamp_seconds";
inline constexpr std::string_view kRequestsMetric = "mailidentity_token_requests_total";
inline constexpr std::string_view kRequestDurationMetric = "mailidentity_token_request_duration_seconds";
inline constexpr std::string_view kReconcileMetric = "controller_runtime_reconcile_total";
inline constexpr std::string_view kReconcileErrorsMetric = "controller_runtime_reconcile_errors_total";
inline constexpr std::string_view kReconcilePanicsMetric = "controller_runtime_reconcile_panics_total";
inline constexpr std::string_view kReconcileTimeMetric = "controller_runtime_reconcile_time_seconds";
inline constexpr std::string_view kActiveWorkersMetric = "controller_runtime_active_workers";
inline constexpr std::string_view kMaxConcurrentMetric = "controller_runtime_max_concurrent_reconciles";

/// The label `controller` of all of them.
inline constexpr std::string_view kControllerName = "mailidentity";

/// Declares them all.
void describe_metrics(base::Metrics& metrics);

/// What the status says, as numbers.
void show_identity(base::Metrics& metrics, const api::Metadata& identity, const api::Status& status);
/// The identity is gone, and its series with it.
void forget_identity(base::Metrics& metrics, std::string_view name_space, std::string_view name);

}  // namespace mailid::reconcile
