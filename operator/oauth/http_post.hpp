#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "common/base/clock.hpp"
#include "common/base/secret.hpp"
#include "common/catalogue/catalogue.hpp"

namespace mailid::oauth {

/// One form POST, complete but for the wire.
struct PostRequest {
  std::string url;             ///< https only
  base::Secret authorization;  ///< the value of the Authorization header; empty: no such header
  base::Secret form;           ///< application/x-www-form-urlencoded
  std::string ca_bundle;       ///< PEM of extra roots for this endpoint, may be empty
};

/// What came back, whatever the status.
struct PostAnswer {
  int status = 0;
  std::string retry_after;  ///< the header's value, empty where there was none
  base::Secret body;        ///< at most kMaxAnswer bytes; may hold a token, so it is a secret
};

/// A token endpoint's answer may have this many bytes.
inline constexpr std::size_t kMaxAnswer = 65'536;
/// Everything together may take this long: resolving, connecting, TLS, and the last byte of the answer.
inline constexpr base::Duration kPostDeadline{10'000};

/// The wire to a token endpoint.
class HttpPost {
 public:
  virtual ~HttpPost() = default;

  /// Sends the request exactly once, follows no redirect, and gives up after kPostDeadline in all.
  ///
  /// Fails with TokenEndpointUnreachable, TokenEndpointTimeout, TokenEndpointCertificate or
  /// TokenResponseTooLarge; the context names the host and what the system said.
  virtual boost::asio::awaitable<catalogue::Result<PostAnswer>> post(PostRequest request) = 0;
};

}  // namespace mailid::oauth
