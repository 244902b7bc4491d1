#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "operator/reconcile/login_probe.hpp"

namespace mailid::fakes {

/// A relay that takes every token, or says why not.
class FakeLoginProbe final : public reconcile::LoginProbe {
 public:
  asio::awaitable<catalogue::Result<base::Done>> login(contract::Identity identity,
                                                       std::shared_ptr<const base::Secret> token) override {
    logins.emplace_back(identity.mailbox, token->reveal());
    if (before_answer) before_answer();
    if (wait) co_await wait();
    if (failure) co_return base::Unexpected{*failure};
    co_return base::Done{};
  }

  std::vector<std::pair<std::string, std::string>> logins;  ///< mailbox and token
  std::optional<catalogue::Failure> failure;
  std::function<void()> before_answer;          ///< may throw
  std::function<asio::awaitable<void>()> wait;  ///< how long the relay takes; no time by default
};

}  // namespace mailid::fakes
