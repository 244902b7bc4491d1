#pragma once

#include "operator/oauth/http_post.hpp"
#include "operator/oauth/token_client.hpp"

namespace mailid::oauth {

/// The TokenClient of the operator: builds the request, posts it once, reads the answer.
class HttpTokenClient final : public TokenClient {
 public:
  /// Both must outlive this.
  HttpTokenClient(HttpPost& wire, const base::Clock& clock) : wire_(&wire), clock_(&clock) {}

  boost::asio::awaitable<base::Expected<Token, TokenFailure>> request(TokenRequest request) override;

 private:
  HttpPost* wire_;
  const base::Clock* clock_;
};

}  // namespace mailid::oauth
