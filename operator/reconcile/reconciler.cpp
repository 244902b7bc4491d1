#include "operator/reconcile/reconciler.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <utility>

#include "common/base/encoding.hpp"
#include "operator/reconcile/conditions.hpp"
#include "operator/reconcile/metrics.hpp"

namespace mailid::reconcile {
namespace {

using catalogue::Reason;
using std::chrono::seconds;

// Until an endpoint that has enough to do is tried again, at least.
constexpr base::Duration kBusyEndpoint{1'000};
// A relay that hangs may do so for long, and nobody waits for the login to be verified.
constexpr base::Duration kBusyRelayLongest{600'000};
// Few, as logins at relays that hang take up workers, too.
constexpr EndpointLimits kLogins{.at_once = 2, .at_once_of_host = 2, .at_once_of_all = 4};

/// As long again as this generation has waited for its first login: many that wait must not ask ever and again.
base::Duration login_wait(const Observation& seen) {
  const auto* login = api::find_condition(seen.identity.status.conditions, api::kLoginVerified);
  const bool waits = login != nullptr && login->reason == kLoginNotTried &&
                     login->observed_generation == seen.identity.metadata.generation;
  if (!waits) return kBusyEndpoint;
  const auto waited = std::chrono::floor<base::Duration>(seen.now - login->last_transition_time);
  return std::clamp(waited, kBusyEndpoint, kBusyRelayLongest);
}

oauth::TokenRequest complete(const Desired& desired, const Credential& credential) {
  const auto& known = desired.resolved.request;
  oauth::TokenRequest request;
  request.token_url = known.token_url;
  request.client_id = known.client_id;
  request.client_secret = credential.value.clone();
  request.scope = known.scope;
  request.authentication = known.authentication;
  request.ca_bundle = known.ca_bundle;
  return request;
}

}  // namespace

Reconciler::Reconciler(Surroundings surroundings, Settings settings, EndpointLimits limits)
    : around_(surroundings), settings_(std::move(settings)), limiter_(limits), logins_(kLogins) {}

asio::awaitable<Outcome> Reconciler::reconcile(std::string key) {
  const auto name = object_name(key);
  Sources sources{&around_.client, &around_.clock, &settings_};
  auto seen = co_await gather(sources, name);
  if (!seen) {
    around_.log.warning("identity can't be read", {{"namespace", name.name_space},
                                                   {"name", name.name},
                                                   {"error", seen.error().reason},
                                                   {"detail", seen.error().message}});
    co_return Outcome{Outcome::Kind::Retry, {}};
  }
  auto& found = *seen;
  if (!found) {
    unsaved_.forget(key);
    forget_identity(around_.metrics, name.name_space, name.name);
    co_return Outcome{Outcome::Kind::Gone, {}};
  }
  unsaved_.remember_failure(*found);
  co_return co_await reconcile_seen(std::move(*found));
}

asio::awaitable<Outcome> Reconciler::reconcile_seen(Observation seen) {
  if (being_deleted(seen)) co_return Outcome{Outcome::Kind::LookAgain, next_look(seen)};

  std::optional<catalogue::Failure> trouble;
  std::set<Action> done;
  auto decision = decide(seen);
  // Each action at most once: an endpoint or a person that undoes what we did is for the next look.
  while (decision.action != Action::Nothing && decision.action != Action::Wait &&
         done.insert(decision.action).second) {
    const auto step = co_await act(decision, seen);
    seen.now = around_.clock.now();
    if (step && step->kind == Trouble::Kind::Changed) co_return Outcome{Outcome::Kind::Retry, {}};
    if (step && step->kind == Trouble::Kind::Busy) co_return co_await come_back(decision, std::move(seen));
    if (step) trouble = step->failure;
    if (step && step->kind == Trouble::Kind::Kube) {
      co_await write_status(seen, trouble);
      co_return Outcome{Outcome::Kind::Retry, {}};
    }
    if (decision.action == Action::Refuse) break;
    decision = decide(seen);
  }
  // What failed before is history.
  if (decision.action == Action::Nothing) seen.last_failure.reset();
  const bool written = co_await write_status(seen, trouble);
  if (!written) co_return Outcome{Outcome::Kind::Retry, {}};
  unsaved_.status_written(seen);
  co_return Outcome{Outcome::Kind::LookAgain, next_look(seen)};
}

/// Where an endpoint has enough to do already.
asio::awaitable<Outcome> Reconciler::come_back(Decision decision, Observation seen) {
  const bool login = decision.action == Action::VerifyLogin;
  const auto least = login ? login_wait(seen) : kBusyEndpoint;
  const auto spread = static_cast<std::int64_t>(seen.hash % static_cast<std::uint64_t>(least.count()));
  auto after = least + base::Duration(spread);
  // That there is a token is not held back until the relay has time, nor that there is none any more.
  if (login || !token_usable(seen)) {
    if (login) after = std::min(after, next_look(seen));
    if (login && seen.last_failure && seen.last_failure->attempt != login_attempt(seen))
      seen.last_failure.reset();
    const bool written = co_await write_status(seen, std::nullopt);
    if (!written) co_return Outcome{Outcome::Kind::Retry, {}};
    unsaved_.status_written(seen);
  }
  co_return Outcome{Outcome::Kind::LookAgain, after};
}

asio::awaitable<Reconciler::Step> Reconciler::act(Decision decision, Observation& seen) {
  around_.log.debug("acting", {{"namespace", seen.identity.metadata.name_space},
                               {"name", seen.identity.metadata.name},
                               {"because", decision.because}});
  switch (decision.action) {
    case Action::Refuse:
      co_return refused(seen, decision.refusal.value());
    case Action::FetchToken:
      co_return co_await fetch_token(seen);
    case Action::WriteSettings: {
      auto token = *seen.token();
      co_return co_await write_secret(seen, std::move(token));
    }
    case Action::VerifyLogin:
      co_return co_await verify_login(seen);
    case Action::Nothing:
    case Action::Wait:
      break;
  }
  co_return std::nullopt;
}

Reconciler::Trouble Reconciler::refused(Observation& seen, const catalogue::Failure& failure) {
  if (failure.reason == Reason::KubernetesUnavailable) return {Trouble::Kind::Kube, failure};
  const bool of_credential = credential_missing(seen);
  const auto attempt = of_credential ? token_attempt(seen) : refusal_attempt(seen);
  const auto& before = seen.last_failure;
  const bool known =
      before && before->attempt == attempt && before->reason == catalogue::code(failure.reason);
  // Looking again is no new failure until its time has come; and never one where only a change can help.
  if (!known || (before->retry_time && !waiting(seen, attempt))) {
    note(seen, {Attempt::Precondition, attempt, failure, std::nullopt});
  }
  return {Trouble::Kind::Failed, failure};
}

asio::awaitable<Reconciler::Step> Reconciler::fetch_token(Observation& seen) {
  if (auto kept = unsaved_.token(seen)) co_return co_await write_secret(seen, std::move(*kept));
  auto token = co_await request_token(seen);
  if (!token) co_return std::move(token).error();
  co_return co_await write_secret(seen, std::move(*token));
}

asio::awaitable<base::Expected<StoredToken, Reconciler::Trouble>> Reconciler::request_token(
    Observation& seen) {
  const auto url = seen.desired->resolved.request.token_url;
  const auto turn = limiter_.enter(url, around_.timer.now());
  if (!turn) {
    Trouble busy{Trouble::Kind::Busy, std::nullopt};
    co_return base::Unexpected{std::move(busy)};
  }
  if (turn->wait() > base::Duration::zero()) co_await around_.timer.wait_for(turn->wait());

  const auto began = around_.timer.now();
  auto request = complete(*seen.desired, *seen.usable_credential());
  auto answer = co_await around_.token_client.request(std::move(request));
  seen.now = around_.clock.now();
  if (!answer) {
    auto& failed = answer.error();
    count_request(seen, std::string(catalogue::code(failed.failure.reason)), began);
    if (failed.retry_after) limiter_.pause(url, around_.timer.now(), *failed.retry_after);
    FailedTry attempt{Attempt::TokenRequest, token_attempt(seen), failed.failure, failed.retry_after};
    note(seen, std::move(attempt));
    Trouble trouble{Trouble::Kind::Failed, std::move(failed.failure)};
    co_return base::Unexpected{std::move(trouble)};
  }
  count_request(seen, "success", began);
  StoredToken token;
  token.value = std::make_shared<const base::Secret>(std::move(answer->value));
  token.issued = std::chrono::floor<seconds>(answer->issued);
  token.expires = std::chrono::floor<seconds>(answer->expires);
  token.request = seen.desired->request;
  token.refresh = seen.refresh();
  unsaved_.keep(seen, token);
  co_return token;
}

asio::awaitable<Reconciler::Step> Reconciler::write_secret(Observation& seen, StoredToken token) {
  const auto& metadata = seen.identity.metadata;
  const auto collection = secrets_path(metadata.name_space);
  const auto path = fmt::format("{}/{}", collection, api::token_secret_name(metadata.name));
  const auto* current = seen.token_secret();
  auto object = current == nullptr ? new_token_secret(metadata, token, seen.desired->settings)
                                   : changed_token_secret(metadata, *current, token, seen.desired->settings);
  // Two statements: g++ 12 destroys what a co_await within ?: gives twice.
  kube::Result<std::string> written = base::Unexpected<kube::Status>{};
  if (current == nullptr) {
    written = co_await around_.client.create(collection, std::move(object));
  } else {
    written = co_await around_.client.apply(path, std::move(object), std::string(kFieldManager));
  }
  if (!written) {
    const auto& status = written.error();
    Trouble trouble{Trouble::Kind::Changed, std::nullopt};
    if (!status.already_exists() && !status.conflict()) {
      trouble = {Trouble::Kind::Kube, kube_failure("writing " + path, status)};
    }
    co_return trouble;
  }
  auto secret = token_secret_from_json(std::move(*written), metadata);
  if (!secret) {
    Trouble trouble{Trouble::Kind::Kube, std::move(secret).error()};
    co_return trouble;
  }
  around_.log.info("token Secret written", {{"namespace", metadata.name_space},
                                            {"name", metadata.name},
                                            {"expires", base::format_rfc3339(token.expires)}});
  unsaved_.secret_written(seen);
  seen.secret = std::optional<TokenSecret>(std::move(*secret));
  co_return std::nullopt;
}

asio::awaitable<Reconciler::Step> Reconciler::verify_login(Observation& seen) {
  auto identity = seen.desired->resolved.identity;
  const auto relay = fmt::format("{}:{}", identity.host, identity.port);
  const auto turn = logins_.enter(relay, around_.timer.now());
  if (!turn) {
    Trouble busy{Trouble::Kind::Busy, std::nullopt};
    co_return busy;
  }
  if (turn->wait() > base::Duration::zero()) co_await around_.timer.wait_for(turn->wait());

  auto token = seen.token()->value;
  const auto attempt = login_attempt(seen);
  const auto login = co_await around_.login_probe.login(std::move(identity), std::move(token));
  seen.now = around_.clock.now();
  api::set_condition(seen.identity.status.conditions, login_condition(seen, login),
                     std::chrono::floor<seconds>(seen.now));
  if (!login) {
    around_.log.warning("login at the relay not verified", {{"namespace", seen.identity.metadata.name_space},
                                                            {"name", seen.identity.metadata.name},
                                                            {"reason", catalogue::code(login.error().reason)},
                                                            {"context", login.error().context}});
    FailedTry failed{Attempt::Login, attempt, login.error(), std::nullopt};
    note(seen, std::move(failed));
  }
  co_return std::nullopt;
}

asio::awaitable<bool> Reconciler::write_status(const Observation& seen,
                                               std::optional<catalogue::Failure> trouble) {
  const auto& identity = seen.identity;
  const auto status = status_of(seen, trouble);
  show_identity(around_.metrics, identity.metadata, status);
  if (status == seen.status_in_cluster) co_return true;
  const auto written = co_await around_.client.apply(api::path_of(identity.metadata) + "/status",
                                                     api::status_to_json(identity.metadata, status),
                                                     std::string(kFieldManager));
  if (written) co_return true;
  around_.log.warning("status not written", {{"namespace", identity.metadata.name_space},
                                             {"name", identity.metadata.name},
                                             {"error", written.error().reason},
                                             {"detail", written.error().message}});
  co_return false;
}

void Reconciler::note(Observation& seen, FailedTry failed) {
  seen.last_failure = noted(seen, failed);
  unsaved_.keep(seen, *seen.last_failure);
  around_.log.warning("identity is not as it should be", {{"namespace", seen.identity.metadata.name_space},
                                                          {"name", seen.identity.metadata.name},
                                                          {"reason", seen.last_failure->reason},
                                                          {"context", failed.failure.context},
                                                          {"count", seen.last_failure->count}});
}

void Reconciler::count_request(const Observation& seen, const std::string& result, base::SteadyTime began) {
  const auto& provider = seen.desired->resolved.provider;
  const std::chrono::duration<double> took = around_.timer.now() - began;
  around_.metrics.add(kRequestsMetric, {{"provider", provider}, {"result", result}});
  around_.metrics.observe(kRequestDurationMetric, {{"provider", provider}}, took.count());
}

}  // namespace mailid::reconcile
