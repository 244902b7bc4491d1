#include "operator/oauth/http_token_client.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/event_loop.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_http_post.hpp"

namespace mailid::oauth {
namespace {

using catalogue::Reason;
using std::chrono::seconds;
using testing::HasSubstr;

class HttpTokenClientTest : public testing::Test {
 protected:
  base::Expected<Token, TokenFailure> ask(std::string url = "https://id.example.test/token") {
    TokenRequest request;
    request.token_url = std::move(url);
    request.client_id = "billing";
    request.client_secret = base::Secret("s3cret");
    loop_.run(keep_answer(std::move(request)));
    return std::move(*answer_);
  }

  asio::awaitable<void> keep_answer(TokenRequest request) {
    answer_.emplace(co_await client_.request(std::move(request)));
  }

  std::optional<base::Expected<Token, TokenFailure>> answer_;
  fakes::EventLoop loop_;
  fakes::FakeClock clock_;
  fakes::FakeHttpPost wire_;
  HttpTokenClient client_{wire_, clock_};
};

TEST_F(HttpTokenClientTest, PostsOnceAndReadsTheToken) {
  wire_.answer(200, R"({"access_token":"t","expires_in":600})");
  const auto token = ask();
  ASSERT_TRUE(token);
  EXPECT_EQ(token->value.reveal(), "t");
  ASSERT_EQ(wire_.requests.size(), 1U);
  EXPECT_EQ(wire_.requests[0].url, "https://id.example.test/token");
  EXPECT_THAT(std::string(wire_.requests[0].form.reveal()), HasSubstr("client_secret=s3cret"));
}

TEST_F(HttpTokenClientTest, CountsTheLifeFromBeforeTheRequest) {
  const auto before = clock_.time;
  wire_.on_post = [this] { clock_.advance(seconds(9)); };
  wire_.answer(200, R"({"access_token":"t","expires_in":600})");
  const auto token = ask();
  ASSERT_TRUE(token);
  EXPECT_EQ(token->issued, before);
  EXPECT_EQ(token->expires, before + seconds(600));
}

TEST_F(HttpTokenClientTest, NamesTheHostThatRefused) {
  wire_.answer(401, R"({"error":"invalid_client"})");
  const auto token = ask();
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().failure.reason, Reason::InvalidClient);
  EXPECT_EQ(token.error().failure.context, "id.example.test answered: HTTP 401 invalid_client");
  EXPECT_EQ(wire_.requests.size(), 1U);
}

TEST_F(HttpTokenClientTest, HandsOnWhatTheWireSays) {
  wire_.fail({Reason::TokenEndpointTimeout, "id.example.test:443"});
  const auto token = ask();
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().failure.reason, Reason::TokenEndpointTimeout);
  EXPECT_EQ(token.error().failure.context, "id.example.test:443");
  EXPECT_EQ(token.error().retry_after, std::nullopt);
}

TEST_F(HttpTokenClientTest, SendsNothingInClear) {
  const auto token = ask("http://id.example.test/token");
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().failure.reason, Reason::InvalidSpec);
  EXPECT_TRUE(wire_.requests.empty());
}

}  // namespace
}  // namespace mailid::oauth
