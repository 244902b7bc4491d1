#pragma once

#include <memory>
#include <string>

#include "common/base/secret.hpp"
#include "common/catalogue/catalogue.hpp"
#include "common/contract/identity.hpp"
#include "common/net/resolver.hpp"
#include "common/net/timer.hpp"

namespace mailid::reconcile {

/// Whether a relay takes a token for a mailbox.
class LoginProbe {
 public:
  virtual ~LoginProbe() = default;
  /// Logs in once, as a sidecar would, and sends no mail. Fails with the catalogue's words for what the relay said,
  /// or for why there was no answer.
  virtual asio::awaitable<catalogue::Result<base::Done>> login(contract::Identity identity,
                                                               std::shared_ptr<const base::Secret> token) = 0;
};

/// The real one: STARTTLS and AUTH, within 15 seconds in all.
class SmtpLoginProbe final : public LoginProbe {
 public:
  /// Both must outlive this. `system_roots`: a folder or file as net::TrustRoots has it.
  SmtpLoginProbe(net::Resolver& resolver, net::Timer& timer, std::string system_roots)
      : resolver_(&resolver), timer_(&timer), system_roots_(std::move(system_roots)) {}

  asio::awaitable<catalogue::Result<base::Done>> login(contract::Identity identity,
                                                       std::shared_ptr<const base::Secret> token) override;

 private:
  net::Resolver* resolver_;
  net::Timer* timer_;
  std::string system_roots_;
};

}  // namespace mailid::reconcile
