#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "operator/oauth/http_post.hpp"
#include "operator/oauth/token_client.hpp"

namespace mailid::oauth {

/// What a life that is missing from the answer is taken for, and what is believed at most.
inline constexpr std::chrono::seconds kDefaultLife{3600};
inline constexpr std::chrono::seconds kLongestLife{7 * 24 * 3600};
/// A token of more bytes is not one: no relay takes such a line (RFC 4954 allows 12,288 octets of base64).
inline constexpr std::size_t kMaxToken = 9'000;

/// What an endpoint says in an error answer, reduced to what may be shown.
struct ErrorAnswer {
  int status = 0;         ///< HTTP
  std::string error;      ///< `^[a-z_]{1,40}$`, empty where there was none of that form
  int provider_code = 0;  ///< the AADSTS number, 0 where there was none
};

/// Which failure an error answer is. The HTTP status and `error` decide; the provider's number only adds a hint
/// to the text, because providers say that numbers change. Nothing that the endpoint wrote gets into the text but
/// `error` and the number.
catalogue::Failure classify(const ErrorAnswer& answer);

/// Reads an answer of any status.
///
/// The life begins at `sent`. `expires_in` may be a number or a string; missing or nonsense means kDefaultLife.
/// A token with CR, LF, NUL or 0x01, or of a type that is not Bearer, is TokenResponseInvalid: it would break the
/// dialogue with the relay.
/// @param now  for a Retry-After that is a date
base::Expected<Token, TokenFailure> read_answer(const PostAnswer& answer, base::Time sent, base::Time now);

}  // namespace mailid::oauth
