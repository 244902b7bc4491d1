#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "operator/oauth/token_client.hpp"

namespace mailid::fakes {

/// A token endpoint that gives `token-1`, `token-2`, ... and remembers what it was asked.
class FakeTokenClient final : public oauth::TokenClient {
 public:
  struct Call {
    std::string token_url;
    std::string client_id;
    std::string client_secret;
    base::Time when;
  };

  explicit FakeTokenClient(const base::Clock& clock) : clock_(&clock) {}

  boost::asio::awaitable<base::Expected<oauth::Token, oauth::TokenFailure>> request(
      oauth::TokenRequest request) override {
    calls.push_back(
        {request.token_url, request.client_id, std::string(request.client_secret.reveal()), clock_->now()});
    if (before_answer) before_answer();
    const auto wrong = secrets.find(request.client_id);
    if (wrong != secrets.end() && wrong->second != request.client_secret.reveal()) {
      co_return refusal(catalogue::Reason::InvalidClient, {});
    }
    if (!failures.empty()) {
      auto failure = std::move(failures.front());
      failures.pop_front();
      co_return base::Unexpected{std::move(failure)};
    }
    if (down) co_return refusal(*down, {});
    oauth::Token token;
    token.value = base::Secret("token-" + std::to_string(++given));
    token.issued = clock_->now();
    token.expires = token.issued + life;
    if (after_commit) after_commit();
    co_return token;
  }

  /// The next calls fail like this, one each.
  void fail_once(catalogue::Reason reason, std::optional<std::chrono::seconds> retry_after = {}) {
    failures.push_back({{reason, "for the test"}, retry_after});
  }

  std::vector<Call> calls;
  std::chrono::milliseconds life{3'600'000};
  std::map<std::string, std::string> secrets;  ///< by client; where one is named, only this secret is right
  std::deque<oauth::TokenFailure> failures;
  std::optional<catalogue::Reason> down;  ///< what every call answers while it is set
  std::function<void()> before_answer;    ///< may throw
  std::function<void()> after_commit;     ///< the token exists and its caller doesn't have it yet; may throw
  int given = 0;

 private:
  static base::Unexpected<oauth::TokenFailure> refusal(catalogue::Reason reason,
                                                       std::optional<std::chrono::seconds> retry_after) {
    return base::Unexpected<oauth::TokenFailure>{{{reason, "for the test"}, retry_after}};
  }

  const base::Clock* clock_;
};

}  // namespace mailid::fakes
