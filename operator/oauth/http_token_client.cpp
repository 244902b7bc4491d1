#include "operator/oauth/http_token_client.hpp"

#include <utility>

#include "operator/oauth/allowed_hosts.hpp"
#include "operator/oauth/token_answer.hpp"
#include "operator/oauth/token_request.hpp"

namespace mailid::oauth {

boost::asio::awaitable<base::Expected<Token, TokenFailure>> HttpTokenClient::request(TokenRequest request) {
  const auto url = parse_https_url(request.token_url);
  if (!url) co_return base::Unexpected{TokenFailure{url.error(), std::nullopt}};

  auto post = build_post(request);
  const auto sent = clock_->now();
  auto answer = co_await wire_->post(std::move(post));
  if (!answer) co_return base::Unexpected{TokenFailure{std::move(answer).error(), std::nullopt}};

  auto token = read_answer(*answer, sent, clock_->now());
  if (!token) token.error().failure.context.insert(0, url->host + " answered: ");
  co_return token;
}

}  // namespace mailid::oauth
