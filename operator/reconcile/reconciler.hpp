#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/log.hpp"
#include "common/base/metrics.hpp"
#include "common/net/timer.hpp"
#include "operator/oauth/token_client.hpp"
#include "operator/reconcile/decide.hpp"
#include "operator/reconcile/endpoint_limiter.hpp"
#include "operator/reconcile/gather.hpp"
#include "operator/reconcile/last_failure.hpp"
#include "operator/reconcile/login_probe.hpp"
#include "operator/reconcile/unsaved.hpp"

namespace mailid::reconcile {

/// Everything that a Reconciler talks to; all of it must outlive the executor's last run.
struct Surroundings {
  kube::Client& client;
  oauth::TokenClient& token_client;
  LoginProbe& login_probe;
  net::Timer& timer;
  const base::Clock& clock;
  base::Metrics& metrics;
  const base::Log& log;
};

/// When an identity is to be looked at again.
struct Outcome {
  enum class Kind : std::uint8_t {
    LookAgain,  ///< after `after`
    Retry,  ///< the API server didn't do what we asked, or an object changed under our hands: soon, backing off
    Gone,  ///< there is no such identity
  };
  Kind kind = Kind::LookAgain;
  base::Duration after{};
};

/// Brings one identity to where its spec wants it: looks at everything, decides, acts, and says in the status what
/// came of it. Knows no history but what is in the cluster, so it may be stopped at any moment: what a crash can
/// cost is one call of the token endpoint whose token did not reach its Secret.
///
/// For one identity one reconcile at a time; any number of identities at once.
class Reconciler {
 public:
  Reconciler(Surroundings surroundings, Settings settings, EndpointLimits limits = {});

  /// @param key  `namespace/name`
  asio::awaitable<Outcome> reconcile(std::string key);

 private:
  /// Why an action didn't end well.
  struct Trouble {
    enum class Kind : std::uint8_t {
      Failed,   ///< to be shown and waited out
      Busy,     ///< the endpoint has enough to do: later, and nothing is to be shown
      Kube,     ///< the API server: to be shown, and tried again soon
      Changed,  ///< somebody else was faster: to be looked at anew
    };
    Kind kind;
    std::optional<catalogue::Failure> failure;  ///< there with Failed and Kube
  };
  using Step = std::optional<Trouble>;

  asio::awaitable<Outcome> reconcile_seen(Observation seen);
  asio::awaitable<Outcome> come_back(Decision decision, Observation seen);
  asio::awaitable<Step> act(Decision decision, Observation& seen);
  asio::awaitable<Step> fetch_token(Observation& seen);
  asio::awaitable<base::Expected<StoredToken, Trouble>> request_token(Observation& seen);
  asio::awaitable<Step> write_secret(Observation& seen, StoredToken token);
  asio::awaitable<Step> verify_login(Observation& seen);
  asio::awaitable<bool> write_status(const Observation& seen, std::optional<catalogue::Failure> trouble);

  Trouble refused(Observation& seen, const catalogue::Failure& failure);
  void note(Observation& seen, FailedTry failed);
  void count_request(const Observation& seen, const std::string& result, base::SteadyTime began);

  Surroundings around_;
  Settings settings_;
  EndpointLimiter limiter_;  ///< of token endpoints
  EndpointLimiter logins_;   ///< of relays
  Unsaved unsaved_;
};

/// The field manager of everything that the controller applies.
inline constexpr std::string_view kFieldManager = "mail-identity-operator";

}  // namespace mailid::reconcile
