#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "operator/reconcile/observation.hpp"
#include "operator/reconcile/schedule.hpp"

namespace mailid::reconcile {

// The questions. Each looks at one thing and is asked in the order of decide().

/// The identity is on its way out: nothing more is done for it.
bool being_deleted(const Observation& seen);
/// InvalidSpec or HostNotAllowed: nothing is sent anywhere for such a spec.
bool spec_unusable(const Observation& seen);
/// The API server didn't say what the token's Secret is.
bool secret_unreadable(const Observation& seen);
/// A Secret of that name belongs to somebody else, or to an identity of the same name that is gone.
bool secret_not_ours(const Observation& seen);

/// There is no Secret yet, or somebody deleted it.
bool secret_missing(const Observation& seen);
/// Somebody changed the token, or what says how long it lives.
bool token_altered(const Observation& seen);
/// The spec asks for another token than the one in the Secret.
bool request_changed(const Observation& seen);
/// The refresh annotation has a value that was not there when the token was asked for.
bool refresh_asked(const Observation& seen);
/// The token is from a moment that has not come: the clock was set back, and when it really expires isn't known.
bool token_from_the_future(const Observation& seen);
/// The token's life is over.
bool token_expired(const Observation& seen);
/// Half of the token's life is over.
bool token_due(const Observation& seen);
/// The credential can't be had.
bool credential_missing(const Observation& seen);

/// identity.v1.json is not what the spec says, or somebody changed it.
bool settings_changed(const Observation& seen);
/// No login of this generation has worked yet.
bool login_unverified(const Observation& seen);

/// The name of the first question that asks for a new token; empty where none does.
std::string_view why_token(const Observation& seen);
/// Whether the token in the Secret may be used and is the one that the spec asks for.
bool token_usable(const Observation& seen);
/// When the token in the Secret is due.
base::Time refresh_time(const StoredToken& token, std::uint64_t hash);

/// What a try depends on: a failure counts and makes us wait only while all of it is the same.
std::string token_attempt(const Observation& seen);
std::string login_attempt(const Observation& seen);
std::string refusal_attempt(const Observation& seen);
/// Whether this very try failed not long ago and its time has not come.
bool waiting(const Observation& seen, std::string_view attempt);

enum class Action : std::uint8_t {
  Nothing,        ///< all is as it should be
  Wait,           ///< something is to be done, later
  Refuse,         ///< a person must put something right first; says what
  FetchToken,     ///< one call of the token endpoint, then the Secret
  WriteSettings,  ///< the Secret, with the token that is in it
  VerifyLogin,    ///< one login at the relay
};

/// What is to be done next, and the question that made it so.
struct Decision {
  Action action = Action::Nothing;
  std::string_view because;
  std::optional<catalogue::Failure> refusal;  ///< there with Refuse
};

/// Decides by what was seen alone. To be asked again after each action, with what has changed by it.
Decision decide(const Observation& seen);

/// How long this identity may be left alone, from the moment it was seen.
base::Duration next_look(const Observation& seen);

}  // namespace mailid::reconcile
