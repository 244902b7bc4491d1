#include "operator/oauth/token_answer.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "common/base/encoding.hpp"
#include "operator/oauth/answer_members.hpp"
#include "operator/oauth/retry_after.hpp"

namespace mailid::oauth {
namespace {

using catalogue::Reason;
using Failed = base::Unexpected<TokenFailure>;

constexpr std::size_t kLongestError = 40;

struct ErrorRow {
  std::string_view error;
  Reason reason;
};
/// What `error` stands for: RFC 6749 section 5.2, RFC 8707 (invalid_target), and what providers add.
constexpr ErrorRow kErrors[] = {
    {"invalid_client", Reason::InvalidClient},
    {"unauthorized_client", Reason::UnauthorizedClient},
    {"access_denied", Reason::UnauthorizedClient},
    {"invalid_scope", Reason::InvalidScope},
    {"invalid_resource", Reason::InvalidScope},
    {"invalid_target", Reason::InvalidScope},
    {"invalid_grant", Reason::InvalidGrant},
    {"invalid_request", Reason::InvalidTokenRequest},
    {"unsupported_grant_type", Reason::InvalidTokenRequest},
    {"interaction_required", Reason::InteractionRequired},
    {"consent_required", Reason::InteractionRequired},
    {"login_required", Reason::InteractionRequired},
    {"temporarily_unavailable", Reason::TokenEndpointUnavailable},
    {"server_error", Reason::TokenEndpointUnavailable},
    {"slow_down", Reason::TokenEndpointThrottled},
};

struct HintRow {
  int code;
  std::string_view hint;
};
/// What Microsoft's numbers mean at the time of writing. It says that they change, so they only explain.
constexpr HintRow kHints[] = {
    {50196, "the same request came too often"},
    {53003, "a Conditional Access policy blocks this application"},
    {65001, "nobody has consented to the permission"},
    {70011, "the scope is not valid"},
    {90002, "there is no such tenant"},
    {90033, "the service is in trouble"},
    {90038, "the tenant belongs to another cloud"},
    {500011, "the tenant does not have the service (Exchange Online) that the scope names"},
    {650057, "the application lacks the permission that the scope names"},
    {700016, "there is no application with this clientID in the tenant"},
    {700025, "the application is registered as a public client and must not have a secret"},
    {900382, "the tenant belongs to another cloud"},
    {7000112, "the application is disabled"},
    {7000215, "the secret is wrong; often the Secret ID was copied instead of its Value"},
    {7000222, "the secret has expired"},
};

Reason reason_of(const ErrorAnswer& answer) {
  if (answer.status >= 300 && answer.status < 400) return Reason::TokenEndpointRedirected;
  if (answer.status == 429) return Reason::TokenEndpointThrottled;
  if (answer.status >= 500 || answer.status == 408) return Reason::TokenEndpointUnavailable;
  for (const auto& row : kErrors) {
    if (row.error == answer.error) return row.reason;
  }
  return Reason::TokenEndpointRefused;
}

/// The word of an error, or nothing where it could be anything else: it goes into a status that everybody reads.
std::string error_word(std::string_view error) {
  const bool word = error.size() <= kLongestError && std::all_of(error.begin(), error.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || c == '_';
                    });
  return word ? std::string(error) : std::string();
}

ErrorAnswer error_answer(int status, const std::optional<AnswerMembers>& members) {
  ErrorAnswer answer;
  answer.status = status;
  if (!members) return answer;
  answer.error = error_word(members->error);
  if (members->error_code > 0 && members->error_code <= std::numeric_limits<int>::max()) {
    answer.provider_code = static_cast<int>(members->error_code);
  }
  return answer;
}

/// Only what RFC 6749 appendix A.12 allows in a token, minus the space: a relay reads it in one line.
bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= kMaxToken &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

Failed invalid(std::string what) {
  return Failed{{{Reason::TokenResponseInvalid, std::move(what)}, std::nullopt}};
}

base::Expected<Token, TokenFailure> read_token(std::optional<AnswerMembers> members, base::Time sent) {
  if (!members) return invalid("the answer is not a JSON object");
  if (members->access_token.empty()) return invalid("the answer has no access_token");
  if (!is_token(members->access_token.reveal())) {
    return invalid(
        fmt::format("the access_token has characters that no token has, or more than {} bytes", kMaxToken));
  }
  if (!members->token_type.empty() && !base::iequals(members->token_type, "Bearer")) {
    return invalid("the token_type is not Bearer");
  }
  const auto given = members->expires_in.value_or(0);
  const auto life =
      given > 0 ? std::chrono::seconds(std::min(given, std::int64_t{kLongestLife.count()})) : kDefaultLife;
  return Token{std::move(members->access_token), sent, sent + life};
}

}  // namespace

catalogue::Failure classify(const ErrorAnswer& answer) {
  auto context = fmt::format("HTTP {}", answer.status);
  if (!answer.error.empty()) context.append(" ").append(answer.error);
  if (answer.provider_code == 0) return {reason_of(answer), std::move(context)};
  context.append(fmt::format(", AADSTS{}", answer.provider_code));
  for (const auto& row : kHints) {
    if (row.code == answer.provider_code) context.append(" (").append(row.hint).append(")");
  }
  return {reason_of(answer), std::move(context)};
}

base::Expected<Token, TokenFailure> read_answer(const PostAnswer& answer, base::Time sent, base::Time now) {
  auto members = read_members(answer.body.reveal());
  // Some endpoints answer 200 with an error inside.
  const bool refused =
      answer.status != 200 || (members && members->access_token.empty() && !members->error.empty());
  if (!refused) return read_token(std::move(members), sent);
  return Failed{{classify(error_answer(answer.status, members)), parse_retry_after(answer.retry_after, now)}};
}

}  // namespace mailid::oauth
