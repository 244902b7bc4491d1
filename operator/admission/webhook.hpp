#pragma once

#include <string>

#include "common/base/log.hpp"
#include "common/base/metrics.hpp"
#include "common/http/server.hpp"
#include "operator/admission/identity_lookup.hpp"
#include "operator/admission/pod_patch.hpp"
#include "operator/admission/review.hpp"

namespace mailid::admission {

/// The HTTP face of admission: `POST /mutate` with an AdmissionReview in, one out. Changes nothing anywhere, so a
/// dry run is like any other.
class Webhook {
 public:
  /// A pod's JSON is at most 1.5 MiB (etcd's limit), twice in an escaped worst case.
  static constexpr std::size_t kBodyLimit = std::size_t{3} * 1024 * 1024;

  /// All references must outlive the requests.
  Webhook(SidecarSettings settings, IdentityLookup& lookup, net::Timer& timer, base::Metrics& metrics,
          const base::Log& log);

  /// Answers one request, within about a second whatever the API server does.
  asio::awaitable<http::Response> handle(http::Request request);

 private:
  asio::awaitable<http::Response> mutate(std::string body);
  asio::awaitable<void> warn_of_missing(PodPatch& patch, std::string pod_namespace);
  void count(int code, base::SteadyTime since);

  SidecarSettings settings_;
  IdentityLookup* lookup_;
  net::Timer* timer_;
  base::Metrics* metrics_;
  const base::Log* log_;
};

}  // namespace mailid::admission
