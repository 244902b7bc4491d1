#pragma once

#include <cstdint>

#include "common/base/clock.hpp"
#include "common/catalogue/catalogue.hpp"

namespace mailid::reconcile {

/// When the token of one identity is next due.
///
/// Due at half of the token's real life (issued to expires, not the promised `expires_in`), moved by up to a
/// twentieth of that life either way so that identities made together don't refresh together. The same identity
/// always gets the same move, so a restart doesn't shift it.
///
/// @param issued, expires  the token's life, by our clock
/// @param identity_hash    any stable hash of namespace and name
/// @return a moment in (issued, expires); `issued` if the life is zero or negative
base::Time next_refresh(base::Time issued, base::Time expires, std::uint64_t identity_hash);

/// What is being tried again; it decides how patiently.
enum class Attempt : std::uint8_t {
  Precondition,  ///< something in the cluster is missing or in the way: looking costs a GET
  TokenRequest,  ///< a call of the token endpoint
  Login,         ///< a connection to the relay
};

/// The wait after the `count`-th failure in a row (from 1), doubled each time up to a longest, with a tenth of
/// deterministic jitter either way.
///
/// | attempt | first | longest |
/// |---|---|---|
/// | Precondition | 2 s | 1 min |
/// | TokenRequest that passes by itself (Transient, Rate) | 5 s | 5 min |
/// | TokenRequest that a person must put right | 15 s | 10 min |
/// | Login | 15 s | 10 min |
base::Duration retry_delay(Attempt attempt, catalogue::Class cls, std::uint32_t count,
                           std::uint64_t identity_hash);

/// No identity goes longer without a look, so that this is how late at most it is noticed that somebody deleted or
/// changed the token's Secret (it is not watched) or that the machine's clock was set.
inline constexpr base::Duration kLongestWait{10 * 60'000};
/// Nor is one looked at more often than this by itself.
inline constexpr base::Duration kShortestLook{1'000};
/// While the credential is what fails, it is read this often.
inline constexpr base::Duration kCredentialLook{60'000};
/// Between two calls of the token endpoint that both worked, however short tokens live.
inline constexpr base::Duration kShortestLife{10'000};
/// Clocks of several machines may differ by this much without anybody having set one.
inline constexpr base::Duration kClockSkew{120'000};

}  // namespace mailid::reconcile
