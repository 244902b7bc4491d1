#include "operator/reconcile/conditions.hpp"

#include <chrono>
#include <fmt/format.h>
#include <utility>

#include "common/base/encoding.hpp"
#include "operator/reconcile/last_failure.hpp"

namespace mailid::reconcile {
namespace {

using api::Condition;
using api::ConditionStatus;
using catalogue::Class;
using catalogue::Failure;

/// Why something is not as it should be: a reason code and a text for people.
struct Cause {
  std::string reason;
  std::string message;
};

Cause cause_of(const Failure& failure) {
  return {std::string(catalogue::code(failure.reason)), catalogue::describe(failure)};
}

const Condition* known(const Observation& seen, std::string_view type) {
  return api::find_condition(seen.identity.status.conditions, type);
}

Condition condition(const Observation& seen, std::string_view type, ConditionStatus status, Cause cause) {
  Condition made;
  made.type = type;
  made.status = status;
  made.reason = std::move(cause.reason);
  made.message = std::move(cause.message);
  made.observed_generation = seen.identity.metadata.generation;
  return made;
}

/// The cause that is being waited out. Only its code is kept, so what is known beside it is in the condition.
Cause earlier_cause(const Observation& seen, const api::LastFailure& failure) {
  const auto& reason = failure.reason;
  const auto* fresh = known(seen, api::kTokenFresh);
  if (fresh != nullptr && fresh->reason == reason) return {reason, fresh->message};
  const auto entry = reason_of(reason);
  return {reason, entry ? catalogue::describe(Failure{*entry, {}}) : std::string("It is tried again.")};
}

/// What keeps the token from being as it should be, if anything does.
std::optional<Cause> token_trouble(const Observation& seen, const std::optional<Failure>& trouble) {
  if (trouble) return cause_of(*trouble);
  // Not tried yet is no failure: the next look, which is due at once, tries.
  if (why_token(seen).empty() || !seen.credential) return std::nullopt;
  if (seen.last_failure) return earlier_cause(seen, *seen.last_failure);
  return Cause{"TokenRequested", "A token is being asked for."};
}

std::string secret_name(const Observation& seen) {
  return api::token_secret_name(seen.identity.metadata.name);
}

Condition token_issued(const Observation& seen, const std::optional<Cause>& trouble) {
  if (secret_unreadable(seen) && known(seen, api::kTokenIssued) != nullptr) {
    auto kept = *known(seen, api::kTokenIssued);
    kept.observed_generation = seen.identity.metadata.generation;
    return kept;
  }
  if (token_usable(seen)) {
    return condition(seen, api::kTokenIssued, ConditionStatus::True,
                     {"TokenIssued", fmt::format("Secret {} holds a token until {}.", secret_name(seen),
                                                 base::format_rfc3339(seen.token()->expires))});
  }
  auto cause = trouble.value_or(Cause{"TokenExpired", "The token endpoint gives tokens of hardly any life."});
  if (seen.token() != nullptr && seen.now < seen.token()->expires) {
    cause.message += fmt::format(" Until {} pods go on with the token and the settings of an earlier spec.",
                                 base::format_rfc3339(seen.token()->expires));
  }
  const auto status = secret_unreadable(seen) ? ConditionStatus::Unknown : ConditionStatus::False;
  return condition(seen, api::kTokenIssued, status, std::move(cause));
}

Condition token_fresh(const Observation& seen, const std::optional<Cause>& trouble) {
  if (trouble) return condition(seen, api::kTokenFresh, ConditionStatus::False, *trouble);
  return condition(seen, api::kTokenFresh, ConditionStatus::True,
                   {"TokenFresh", "The last refresh that was due worked."});
}

Condition login_verified(const Observation& seen, const std::optional<Cause>& trouble) {
  const auto* before = known(seen, api::kLoginVerified);
  if (before != nullptr && before->observed_generation == seen.identity.metadata.generation) return *before;
  const auto cause =
      trouble.value_or(Cause{std::string(kLoginNotTried), "No login was tried for this generation yet."});
  return condition(seen, api::kLoginVerified, ConditionStatus::Unknown, cause);
}

Condition ready(const Observation& seen, const Condition& issued, const Condition& login) {
  if (issued.status != ConditionStatus::True) {
    return condition(seen, api::kReady, issued.status, {issued.reason, issued.message});
  }
  if (login.status == ConditionStatus::False) {
    return condition(seen, api::kReady, ConditionStatus::False, {login.reason, login.message});
  }
  auto message = std::string("Pods can send mail as this identity.");
  if (login.reason == kLoginNotTried) {
    message += " The login is not verified yet.";
  } else if (login.status == ConditionStatus::Unknown) {
    message += " The operator could not verify the login by itself.";
  }
  return condition(seen, api::kReady, ConditionStatus::True, {"Ready", std::move(message)});
}

std::optional<api::TokenStatus> token_status(const Observation& seen) {
  if (secret_unreadable(seen)) return seen.identity.status.token;
  const auto* token = seen.token();
  if (token == nullptr) return std::nullopt;
  const auto next = std::chrono::floor<std::chrono::seconds>(refresh_time(*token, seen.hash));
  return api::TokenStatus{secret_name(seen), token->issued, token->expires, next};
}

}  // namespace

Condition login_condition(const Observation& seen, const catalogue::Result<base::Done>& login) {
  if (login) {
    return condition(seen, api::kLoginVerified, ConditionStatus::True,
                     {"LoginVerified", "The relay accepted a login with the token."});
  }
  const auto cls = catalogue::entry(login.error().reason).cls;
  const bool refused = cls == Class::Account || cls == Class::Configuration;
  return condition(seen, api::kLoginVerified, refused ? ConditionStatus::False : ConditionStatus::Unknown,
                   cause_of(login.error()));
}

api::Status status_of(const Observation& seen, const std::optional<Failure>& trouble) {
  const auto cause = token_trouble(seen, trouble);
  const auto now = std::chrono::floor<std::chrono::seconds>(seen.now);
  api::Status status = seen.identity.status;
  status.observed_generation = seen.identity.metadata.generation;
  if (seen.desired) status.provider = seen.desired->resolved.provider;
  status.token = token_status(seen);
  status.last_failure = seen.last_failure;

  const auto issued = token_issued(seen, cause);
  const auto login = login_verified(seen, cause);
  api::set_condition(status.conditions, ready(seen, issued, login), now);
  api::set_condition(status.conditions, issued, now);
  api::set_condition(status.conditions, token_fresh(seen, cause), now);
  api::set_condition(status.conditions, login, now);
  return status;
}

}  // namespace mailid::reconcile
