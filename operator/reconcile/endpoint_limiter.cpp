#include "operator/reconcile/endpoint_limiter.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

namespace mailid::reconcile {
namespace {

struct Endpoint {
  int active = 0;
  base::SteadyTime full_at;  ///< when the whole burst is there again
  base::SteadyTime paused_until;
};

// Of one host's calls, for endpoints that have none under way: two that hang must not keep a third one waiting.
constexpr int kReserved = 2;

/// `login.contoso.test` of `https://Login.contoso.test:8443/tenant/token`.
std::string host_of(std::string_view endpoint) {
  if (const auto scheme = endpoint.find("://"); scheme != std::string_view::npos) {
    endpoint.remove_prefix(scheme + 3);
  }
  endpoint = endpoint.substr(0, endpoint.find_first_of("/?#"));
  const auto port = endpoint.rfind(':');
  if (port != std::string_view::npos && endpoint.back() != ']') endpoint = endpoint.substr(0, port);
  std::string host(endpoint);
  std::ranges::transform(host, host.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return host;
}

}  // namespace

struct EndpointLimiter::State {
  EndpointLimits limits;
  std::map<std::string, Endpoint, std::less<>> endpoints;
  std::map<std::string, int, std::less<>> active_of_host;
  int active_of_all = 0;

  void forget_idle(base::SteadyTime now) {
    std::erase_if(endpoints, [now](const auto& item) {
      return item.second.active == 0 && item.second.full_at <= now && item.second.paused_until <= now;
    });
    std::erase_if(active_of_host, [](const auto& item) { return item.second == 0; });
  }
};

EndpointLimiter::Turn::~Turn() {
  if (!state_) return;
  --state_->endpoints.at(endpoint_).active;
  --state_->active_of_host.at(host_of(endpoint_));
  --state_->active_of_all;
}

EndpointLimiter::EndpointLimiter(EndpointLimits limits) : state_(std::make_shared<State>()) {
  state_->limits = limits;
}

std::optional<EndpointLimiter::Turn> EndpointLimiter::enter(const std::string& endpoint,
                                                            base::SteadyTime now) {
  const auto& limits = state_->limits;
  state_->forget_idle(now);
  auto& known = state_->endpoints[endpoint];
  auto& active_of_host = state_->active_of_host[host_of(endpoint)];
  if (now < known.paused_until || known.active >= limits.at_once) return std::nullopt;
  if (state_->active_of_all >= limits.at_once_of_all) return std::nullopt;
  if (active_of_host + (known.active > 0 ? kReserved : 0) >= limits.at_once_of_host) return std::nullopt;
  ++known.active;
  ++active_of_host;
  ++state_->active_of_all;
  // A bucket told by the one moment when it is full again: each call moves that by an interval.
  known.full_at = std::max(known.full_at, now) + limits.interval;
  const auto wait = known.full_at - now - limits.burst * limits.interval;
  return Turn(state_, endpoint, std::max(std::chrono::ceil<base::Duration>(wait), base::Duration::zero()));
}

void EndpointLimiter::pause(const std::string& endpoint, base::SteadyTime now, base::Duration duration) {
  auto& known = state_->endpoints[endpoint];
  known.paused_until = std::max(known.paused_until, now + std::min(duration, state_->limits.longest_pause));
}

}  // namespace mailid::reconcile
