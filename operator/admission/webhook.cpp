#include "operator/admission/webhook.hpp"

#include <fmt/format.h>

namespace mailid::admission {
namespace {

constexpr const char* kPath = "/mutate";
constexpr const char* kRequests = "controller_runtime_webhook_requests_total";
constexpr const char* kLatency = "controller_runtime_webhook_latency_seconds";
// For a warning nobody waits longer; the API server's own timeout for us is a few seconds.
constexpr base::Duration kLookupTime{1'000};

http::Response json_response(std::string body) {
  http::Response response;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

}  // namespace

Webhook::Webhook(SidecarSettings settings, IdentityLookup& lookup, net::Timer& timer, base::Metrics& metrics,
                 const base::Log& log)
    : settings_(std::move(settings)), lookup_(&lookup), timer_(&timer), metrics_(&metrics), log_(&log) {
  metrics_->describe_counter(kRequests, "Admission requests by HTTP status code.");
  metrics_->describe_histogram(kLatency, "Time to answer an admission request.",
                               {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5});
  metrics_->add(kRequests, {{"webhook", kPath}, {"code", "200"}}, 0);
}

asio::awaitable<http::Response> Webhook::handle(http::Request request) {
  if (request.path != kPath) co_return http::text_response(404, "not found");
  const auto began = timer_->now();
  http::Response response;
  if (request.method != "POST") {
    response = http::text_response(405, "only POST");
  } else if (!request.header("Content-Type").starts_with("application/json")) {
    response = http::text_response(400, "Content-Type must be application/json");
  } else {
    response = co_await mutate(std::move(request.body));
  }
  count(response.status, began);
  co_return response;
}

asio::awaitable<http::Response> Webhook::mutate(std::string body) {
  const auto review = read_review(body);
  if (!review) {
    log_->warning("not an admission review", {{"error", review.error()}});
    co_return http::text_response(400, review.error());
  }
  if (review->pod.is_null()) co_return json_response(allow(review->uid, PodPatch{}));

  auto patch = patch_pod(review->pod, settings_);
  if (!patch) {
    log_->info("pod refused", {{"namespace", review->pod_namespace},
                               {"pod", review->pod_name},
                               {"reason", catalogue::code(patch.error().reason)},
                               {"context", patch.error().context}});
    co_return json_response(deny(review->uid, patch.error()));
  }
  co_await warn_of_missing(*patch, review->pod_namespace);
  log_->info(patch->empty() ? "pod left as it is" : "sidecar injected",
             {{"namespace", review->pod_namespace},
              {"pod", review->pod_name},
              {"identity", patch->identities.empty() ? std::string() : patch->identities.front()},
              // Of a Deployment's pod nobody else sees them: they go to the controller that creates it.
              {"warnings", fmt::format("{}", fmt::join(patch->warnings, "; "))}});
  co_return json_response(allow(review->uid, *patch));
}

asio::awaitable<void> Webhook::warn_of_missing(PodPatch& patch, std::string pod_namespace) {
  const auto deadline = timer_->now() + kLookupTime;
  for (const auto& identity : patch.identities) {
    if (!co_await lookup_->missing(pod_namespace, identity, deadline)) continue;
    patch.warnings.push_back(
        fmt::format("MailIdentity {}/{} does not exist yet; until it does and is ready, mail is "
                    "answered with 451",
                    pod_namespace, identity));
  }
}

void Webhook::count(int code, base::SteadyTime since) {
  const auto status = std::to_string(code);
  metrics_->add(kRequests, {{"webhook", kPath}, {"code", status}});
  const std::chrono::duration<double> took = timer_->now() - since;
  metrics_->observe(kLatency, {{"webhook", kPath}}, took.count());
}

}  // namespace mailid::admission
