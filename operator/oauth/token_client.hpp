#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "common/base/clock.hpp"
#include "common/base/secret.hpp"
#include "common/catalogue/catalogue.hpp"

namespace mailid::oauth {

/// How the client proves itself at the token endpoint (RFC 6749 section 2.3.1).
enum class ClientAuthentication { Basic, Post };

/// A client-credentials grant (RFC 6749 section 4.4), complete but for the wire.
struct TokenRequest {
  std::string token_url;  ///< https only; the host has been checked against allowedHosts
  std::string client_id;
  base::Secret client_secret;
  std::string scope;  ///< space-separated
  ClientAuthentication authentication = ClientAuthentication::Post;
  std::string ca_bundle;  ///< PEM of extra roots for this endpoint, may be empty
};

/// A token as it came: the life is counted from the moment the request was sent.
struct Token {
  base::Secret value;
  base::Time issued;
  base::Time expires;
};

/// Why there is no token, and how long the endpoint asked us to wait.
struct TokenFailure {
  catalogue::Failure failure;
  std::optional<std::chrono::seconds> retry_after;
};

/// Asks a token endpoint for a token: exactly one POST a call, never repeated by itself.
class TokenClient {
 public:
  virtual ~TokenClient() = default;
  virtual boost::asio::awaitable<base::Expected<Token, TokenFailure>> request(TokenRequest request) = 0;
};

}  // namespace mailid::oauth
