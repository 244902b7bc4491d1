#include "operator/reconcile/login_probe.hpp"

#include <utility>

#include "common/smtp/login.hpp"

namespace mailid::reconcile {
namespace {

constexpr base::Duration kLongestLogin{15'000};

}  // namespace

asio::awaitable<catalogue::Result<base::Done>> SmtpLoginProbe::login(
    contract::Identity identity, std::shared_ptr<const base::Secret> token) {
  net::TrustRoots roots{system_roots_, identity.ca_bundle};
  // A context for each login: they are rare, and its memory is gone afterwards.
  net::TlsClientContext tls(std::move(roots));
  smtp::LoginRequest request;
  request.host = identity.host;
  request.port = identity.port;
  request.mechanism = identity.mechanism;
  request.mailbox = identity.mailbox;
  request.token = std::move(token);
  auto logged_in =
      co_await smtp::login(*resolver_, *timer_, tls, std::move(request), timer_->now() + kLongestLogin);
  if (!logged_in) co_return base::Unexpected{std::move(logged_in).error().failure};
  smtp::quit(logged_in->stream);
  co_return base::Done{};
}

}  // namespace mailid::reconcile
