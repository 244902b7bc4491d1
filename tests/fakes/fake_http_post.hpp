#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operator/oauth/http_post.hpp"

namespace mailid::fakes {

/// A wire to token endpoints that answers what a test laid down, in order, and remembers what it was sent.
class FakeHttpPost final : public oauth::HttpPost {
 public:
  using Outcome = catalogue::Result<oauth::PostAnswer>;

  void answer(int status, std::string_view body, std::string retry_after = "") {
    oauth::PostAnswer answer;
    answer.status = status;
    answer.retry_after = std::move(retry_after);
    answer.body = base::Secret(body);
    outcomes_.emplace_back(std::move(answer));
  }
  void fail(catalogue::Failure failure) {
    outcomes_.emplace_back(base::Unexpected<catalogue::Failure>{std::move(failure)});
  }

  boost::asio::awaitable<Outcome> post(oauth::PostRequest request) override {
    requests.push_back(std::move(request));
    if (on_post) on_post();
    if (outcomes_.empty()) throw std::logic_error("the test laid down no answer for this request");
    auto outcome = std::move(outcomes_.front());
    outcomes_.pop_front();
    co_return outcome;
  }

  std::vector<oauth::PostRequest> requests;
  std::function<void()> on_post;  ///< what happens while a request is under way

 private:
  std::deque<Outcome> outcomes_;
};

}  // namespace mailid::fakes
