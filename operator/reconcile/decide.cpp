#include "operator/reconcile/decide.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/encoding.hpp"
#include "operator/reconcile/fingerprint.hpp"

namespace mailid::reconcile {
namespace {

using catalogue::Reason;

struct Question {
  std::string_view name;
  bool (*asks)(const Observation&);
};

// In the order in which a person would like to be told why.
constexpr Question kAsksForToken[] = {
    {"secret_missing", secret_missing},
    {"token_altered", token_altered},
    {"request_changed", request_changed},
    {"refresh_asked", refresh_asked},
    {"token_from_the_future", token_from_the_future},
    {"token_expired", token_expired},
    {"token_due", token_due},
};

Decision refuse(std::string_view because, catalogue::Failure failure) {
  return {Action::Refuse, because, std::move(failure)};
}

catalogue::Failure conflict(const Observation& seen) {
  const auto& secret = *seen.token_secret();
  return {Reason::SecretConflict,
          fmt::format("Secret {} is controlled by {}", api::token_secret_name(seen.identity.metadata.name),
                      secret.owner.empty() ? std::string("nobody") : secret.owner)};
}

/// Endpoints that give tokens of no life at all must not be asked in a loop.
bool just_fetched(const Observation& seen) {
  return seen.now >= seen.token()->issued && seen.now - seen.token()->issued < kShortestLife;
}

}  // namespace

bool being_deleted(const Observation& seen) {
  return seen.identity.metadata.deleting;
}

bool spec_unusable(const Observation& seen) {
  return !seen.desired;
}

bool secret_unreadable(const Observation& seen) {
  return !seen.secret;
}

bool secret_not_ours(const Observation& seen) {
  return seen.token_secret() != nullptr && !seen.token_secret()->ours;
}

bool secret_missing(const Observation& seen) {
  return seen.secret && seen.token_secret() == nullptr;
}

bool token_altered(const Observation& seen) {
  return seen.token_secret() != nullptr && seen.token_secret()->ours && seen.token() == nullptr;
}

bool request_changed(const Observation& seen) {
  return seen.token() != nullptr && seen.desired && seen.token()->request != seen.desired->request;
}

bool refresh_asked(const Observation& seen) {
  const auto asked = seen.refresh();
  return seen.token() != nullptr && !asked.empty() && seen.token()->refresh != asked;
}

bool token_from_the_future(const Observation& seen) {
  return seen.token() != nullptr && seen.token()->issued > seen.now + kClockSkew;
}

bool token_expired(const Observation& seen) {
  return seen.token() != nullptr && seen.now >= seen.token()->expires && !just_fetched(seen);
}

bool token_due(const Observation& seen) {
  return seen.token() != nullptr && seen.now >= refresh_time(*seen.token(), seen.hash);
}

bool credential_missing(const Observation& seen) {
  return seen.credential && !*seen.credential;
}

bool settings_changed(const Observation& seen) {
  return token_usable(seen) && seen.token_secret()->settings != seen.desired->settings;
}

bool login_unverified(const Observation& seen) {
  if (!token_usable(seen)) return false;
  const auto* known = api::find_condition(seen.identity.status.conditions, api::kLoginVerified);
  return known == nullptr || known->status != api::ConditionStatus::True ||
         known->observed_generation != seen.identity.metadata.generation;
}

std::string_view why_token(const Observation& seen) {
  for (const auto& question : kAsksForToken) {
    if (question.asks(seen)) return question.name;
  }
  return {};
}

bool token_usable(const Observation& seen) {
  return seen.desired && seen.token() != nullptr && seen.now < seen.token()->expires &&
         !request_changed(seen);
}

base::Time refresh_time(const StoredToken& token, std::uint64_t hash) {
  return std::max(next_refresh(token.issued, token.expires, hash), base::Time(token.issued + kShortestLife));
}

std::string token_attempt(const Observation& seen) {
  const std::string none;
  const auto* credential = seen.usable_credential();
  return fingerprint({"token", seen.desired ? seen.desired->request : none,
                      credential != nullptr ? credential->version : none, seen.refresh()});
}

std::string login_attempt(const Observation& seen) {
  const auto* token = seen.token();
  return fingerprint({"login", std::to_string(seen.identity.metadata.generation),
                      token != nullptr ? base::format_rfc3339(token->issued) : std::string(),
                      seen.refresh()});
}

std::string refusal_attempt(const Observation& seen) {
  return fingerprint({"refusal", std::to_string(seen.identity.metadata.generation), seen.refresh()});
}

bool waiting(const Observation& seen, std::string_view attempt) {
  const auto& failure = seen.last_failure;
  if (!failure || failure->attempt != attempt) return false;
  // A failure of the future is from before the clock was set back: its waiting would have no end.
  if (failure->time > seen.now + kClockSkew) return false;
  const auto retry = failure->retry_time;
  return retry && seen.now < *retry;
}

Decision decide(const Observation& seen) {
  if (being_deleted(seen)) return {Action::Nothing, "being_deleted", {}};
  if (spec_unusable(seen)) return refuse("spec_unusable", seen.desired.error());
  if (secret_unreadable(seen)) return refuse("secret_unreadable", seen.secret.error());
  if (secret_not_ours(seen)) return refuse("secret_not_ours", conflict(seen));

  const auto why = why_token(seen);
  const bool wait = !why.empty() && waiting(seen, token_attempt(seen));
  if (!why.empty() && !wait) {
    // The token became due while something else was done: the credential was not read yet.
    if (!seen.credential) return {Action::Wait, why, {}};
    if (credential_missing(seen)) return refuse("credential_missing", seen.credential->error());
    return {Action::FetchToken, why, {}};
  }
  // Before any waiting: a change of senders must not wait for a token endpoint that is down.
  if (settings_changed(seen)) return {Action::WriteSettings, "settings_changed", {}};
  if (wait) return {Action::Wait, why, {}};
  if (!login_unverified(seen)) return {Action::Nothing, {}, {}};
  const bool later = waiting(seen, login_attempt(seen));
  return {later ? Action::Wait : Action::VerifyLogin, "login_unverified", {}};
}

base::Duration next_look(const Observation& seen) {
  auto wait = kLongestWait;
  const auto not_after = [&](base::Time when) { wait = std::min(wait, base::Duration(when - seen.now)); };
  if (being_deleted(seen)) return wait;
  if (seen.desired && !why_token(seen).empty() && !seen.credential) return kShortestLook;
  const auto decision = decide(seen);
  if (decision.action == Action::Wait || decision.action == Action::Refuse) {
    if (seen.last_failure && seen.last_failure->retry_time) not_after(*seen.last_failure->retry_time);
    if (!why_token(seen).empty()) wait = std::min(wait, kCredentialLook);
  }
  // TokenIssued must not stay True for longer than the token lives.
  if (token_usable(seen)) not_after(seen.token()->expires);
  if (why_token(seen).empty() && seen.token() != nullptr) not_after(refresh_time(*seen.token(), seen.hash));
  return std::max(wait, kShortestLook);
}

}  // namespace mailid::reconcile
