#include "operator/oauth/cpprest_post.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/fake_https_endpoint.hpp"
#include "tests/fakes/fake_timer.hpp"

namespace mailid::oauth {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kForm = "grant_type=client_credentials&client_secret=s3cret";
constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class CpprestPostTest : public testing::Test {
 protected:
  using Outcome = catalogue::Result<PostAnswer>;

  PostRequest request(const std::string& host = "localhost") const {
    PostRequest request;
    request.url =
        "https://" + host + ":" + std::to_string(endpoint_.port()) + "/tenant/oauth2/v2.0/token?dc=1";
    request.form = base::Secret(kForm);
    return request;
  }

  asio::awaitable<void> keep_outcome(PostRequest request) {
    outcome_.emplace(co_await post_->post(std::move(request)));
  }

  void begin(PostRequest request) {
    outcome_.reset();
    asio::co_spawn(loop_.executor(), keep_outcome(std::move(request)), asio::detached);
    loop_.poll();
  }
  Outcome end() {
    loop_.run_until([this] { return outcome_.has_value(); });
    return std::move(*outcome_);
  }
  Outcome post(PostRequest request) {
    begin(std::move(request));
    return end();
  }
  Outcome post() { return post(request()); }

  /// The reason code and context of a failure, or the status.
  static std::string said(const Outcome& outcome) {
    if (outcome) return "HTTP " + std::to_string(outcome->status);
    return std::string(catalogue::code(outcome.error().reason)) + " " + outcome.error().context;
  }
  std::string at(const std::string& host = "localhost") const {
    return host + ":" + std::to_string(endpoint_.port());
  }

  fakes::TestAuthority authority_;
  fakes::EventLoop loop_;
  fakes::FakeTimer timer_;
  fakes::FakeHttpsEndpoint endpoint_{loop_, authority_.issue("DNS:localhost,IP:127.0.0.1")};
  std::optional<CpprestPost> post_{std::in_place, loop_.executor(), timer_, authority_.pem()};
  std::optional<Outcome> outcome_;
};

TEST_F(CpprestPostTest, SendsTheFormOnceAndGivesTheAnswer) {
  endpoint_.answer("HTTP/1.1 401 Unauthorized\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nhello");
  const auto answer = post();
  ASSERT_TRUE(answer) << said(answer);
  EXPECT_EQ(answer->status, 401);
  EXPECT_EQ(answer->retry_after, "7");
  EXPECT_EQ(answer->body.reveal(), "hello");
  ASSERT_EQ(endpoint_.requests.size(), 1U);
  const auto& sent = endpoint_.requests[0];
  EXPECT_THAT(sent, StartsWith("POST /tenant/oauth2/v2.0/token?dc=1 HTTP/1.1\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nHost: " + at() + "\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nContent-Type:application/x-www-form-urlencoded\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nAccept:application/json\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nUser-Agent:mail-identity-operator/"));
  EXPECT_THAT(sent, Not(HasSubstr("Authorization")));
  EXPECT_THAT(sent, testing::EndsWith("\r\n\r\n" + std::string(kForm)));
}

TEST_F(CpprestPostTest, SendsTheAuthorizationThatIsGiven) {
  endpoint_.answer(kOk);
  auto basic = request();
  basic.authorization = base::Secret("Basic YTpi");
  ASSERT_TRUE(post(std::move(basic)));
  EXPECT_THAT(endpoint_.requests[0], HasSubstr("\r\nAuthorization:Basic YTpi\r\n"));
}

TEST_F(CpprestPostTest, ReadsAChunkedAnswer) {
  endpoint_.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  const auto answer = post();
  ASSERT_TRUE(answer) << said(answer);
  EXPECT_EQ(answer->body.reveal(), "abcde");
}

TEST_F(CpprestPostTest, MakesANewConnectionForEachRequest) {
  endpoint_.answer(kOk);
  ASSERT_TRUE(post());
  ASSERT_TRUE(post());
  EXPECT_EQ(endpoint_.connections, 2);
}

TEST_F(CpprestPostTest, DoesNotSendAgainWhereNoAnswerComes) {
  endpoint_.script = [](std::shared_ptr<net::Stream> stream) -> asio::awaitable<void> {
    stream->close();
    co_return;
  };
  EXPECT_THAT(said(post()), StartsWith("TokenEndpointUnreachable " + at()));
  EXPECT_EQ(endpoint_.requests.size(), 1U);
}

TEST_F(CpprestPostTest, FollowsNoRedirect) {
  fakes::FakeHttpsEndpoint elsewhere(loop_, authority_.issue("DNS:localhost"));
  for (const auto* status : {"301", "302", "303", "307", "308"}) {
    endpoint_.answer("HTTP/1.1 " + std::string(status) + " Elsewhere\r\nLocation: https://localhost:" +
                     std::to_string(elsewhere.port()) + "/\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(said(post()), "HTTP " + std::string(status));
  }
  EXPECT_EQ(elsewhere.connections, 0);
}

TEST_F(CpprestPostTest, BelievesTheOperatorsRootsAndTheRequestsThoughNoLineEndIsBetweenThem) {
  const fakes::TestAuthority another;
  auto own = authority_.pem();
  own.pop_back();
  post_.emplace(loop_.executor(), timer_, own);
  endpoint_.answer(kOk);
  auto with_roots = request();
  with_roots.ca_bundle = another.pem();
  EXPECT_EQ(said(post(std::move(with_roots))), "HTTP 200");
}

TEST_F(CpprestPostTest, TakesAnAddressThatTheCertificateNames) {
  endpoint_.answer(kOk);
  EXPECT_EQ(said(post(request("127.0.0.1"))), "HTTP 200");
}

TEST_F(CpprestPostTest, SendsNothingWhereTheCertificateIsForAnotherName) {
  fakes::FakeHttpsEndpoint other(loop_, authority_.issue("DNS:evil.test", "localhost"));
  auto misled = request();
  misled.url = "https://localhost:" + std::to_string(other.port()) + "/";
  EXPECT_EQ(said(post(std::move(misled))),
            "TokenEndpointCertificate localhost:" + std::to_string(other.port()) + ": hostname mismatch");
  EXPECT_TRUE(other.requests.empty());
}

TEST_F(CpprestPostTest, SendsNothingWhereTheNameIsOnlyTheCommonName) {
  fakes::FakeHttpsEndpoint old(loop_, authority_.issue("", "localhost"));
  auto misled = request();
  misled.url = "https://localhost:" + std::to_string(old.port()) + "/";
  EXPECT_THAT(said(post(std::move(misled))), HasSubstr("TokenEndpointCertificate"));
  EXPECT_TRUE(old.requests.empty());
}

TEST_F(CpprestPostTest, SendsNothingWhereTheCertificateHasExpired) {
  fakes::FakeHttpsEndpoint expired(loop_, authority_.issue_expired("DNS:localhost"));
  auto late = request();
  late.url = "https://localhost:" + std::to_string(expired.port()) + "/";
  EXPECT_THAT(said(post(std::move(late))), HasSubstr("certificate has expired"));
  EXPECT_TRUE(expired.requests.empty());
}

TEST_F(CpprestPostTest, SendsNothingWhereNobodyVouchesForTheCertificate) {
  post_.emplace(loop_.executor(), timer_, "");
  EXPECT_THAT(said(post()), StartsWith("TokenEndpointCertificate " + at() + ": "));
  EXPECT_TRUE(endpoint_.requests.empty());
}

TEST_F(CpprestPostTest, BelievesTheRequestsOwnRoots) {
  endpoint_.answer(kOk);
  post_.emplace(loop_.executor(), timer_, "");
  auto with_roots = request();
  with_roots.ca_bundle = authority_.pem();
  EXPECT_EQ(said(post(std::move(with_roots))), "HTTP 200");
  EXPECT_THAT(said(post()), HasSubstr("TokenEndpointCertificate")) << "only for that request";
}

TEST_F(CpprestPostTest, SaysThatRootsAreUnusable) {
  auto damaged = request();
  damaged.ca_bundle = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(said(post(std::move(damaged))),
            "TokenEndpointCertificate the caBundle for localhost is not PEM certificates");
  EXPECT_EQ(endpoint_.connections, 0);
}

TEST_F(CpprestPostTest, SaysThatNobodyListens) {
  const auto gone = request();
  endpoint_.stop_listening();
  PostRequest again;
  again.url = gone.url;
  EXPECT_THAT(said(post(std::move(again))), StartsWith("TokenEndpointUnreachable localhost:"));
}

TEST_F(CpprestPostTest, SaysThatTheEndpointDoesNotSpeakTls) {
  endpoint_.speak_tls = false;
  EXPECT_THAT(said(post()), StartsWith("TokenEndpointUnreachable " + at()));
}

TEST_F(CpprestPostTest, SaysThatTheAnswerIsNotHttp) {
  endpoint_.answer("220 smtp.example.test ESMTP\r\n\r\n");
  EXPECT_THAT(said(post()), StartsWith("TokenEndpointUnreachable " + at()));
}

TEST_F(CpprestPostTest, GivesUpOnSilence) {
  endpoint_.answer("");
  begin(request());
  loop_.run_until([this] { return endpoint_.requests.size() == 1; });
  timer_.advance(kPostDeadline);
  EXPECT_EQ(said(end()), "TokenEndpointTimeout " + at());
  loop_.run_until([this] { return endpoint_.left == 1; });
}

TEST_F(CpprestPostTest, GivesUpOnASlowAnswerThatNeverStops) {
  endpoint_.answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
  begin(request());
  loop_.run_until([this] { return endpoint_.sent > 0; });
  timer_.advance(kPostDeadline - base::Duration(1));
  loop_.poll();
  EXPECT_FALSE(outcome_.has_value());
  timer_.advance(base::Duration(1));
  EXPECT_EQ(said(end()), "TokenEndpointTimeout " + at());
  loop_.run_until([this] { return endpoint_.left == 1; });
}

TEST_F(CpprestPostTest, GivesUpOnAnAnswerThatIsCut) {
  endpoint_.script = [](std::shared_ptr<net::Stream> stream) -> asio::awaitable<void> {
    stream->write_now("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\":\"t\"}");
    stream->close();
    co_return;
  };
  EXPECT_THAT(said(post()), StartsWith("TokenEndpointUnreachable " + at()));
}

TEST_F(CpprestPostTest, TakesAnAnswerOfJustTheLimit) {
  endpoint_.answer("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + std::string(65'536, 'x'));
  const auto answer = post();
  ASSERT_TRUE(answer) << said(answer);
  EXPECT_EQ(answer->body.size(), kMaxAnswer);
}

TEST_F(CpprestPostTest, TakesNoByteMore) {
  endpoint_.answer("HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n" + std::string(65'537, 'x'));
  EXPECT_EQ(said(post()), "TokenResponseTooLarge " + at());
}

/// What an attacker may send without end, after the first bytes.
struct Flood {
  const char* what;
  std::string first;
  std::string again;
};

TEST_F(CpprestPostTest, StopsReadingWhatHasNoEnd) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string much(16'384, 'x');
  const Flood floods[] = {
      {"a gigabyte", "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", much},
      {"a body until the end of the connection", "HTTP/1.1 200 OK\r\n\r\n", much},
      {"chunks", chunked, "1000\r\n" + std::string(0x1000, 'x') + "\r\n"},
      {"chunks of one byte", chunked, "1\r\nx\r\n"},
      {"one chunk", chunked + "7fffffff\r\n", much},
      {"a chunk of negative length", chunked + "-3\r\n", much},
      {"a chunk's header", chunked, much},
      {"a header", "HTTP/1.1 200 OK\r\nX: ", much},
      {"headers", "HTTP/1.1 200 OK\r\n", "X: y\r\n"},
      {"a status line", "HTTP/1.1 ", much},
  };
  for (const auto& flood : floods) {
    endpoint_.left = 0;
    endpoint_.sent = 0;
    endpoint_.flood(flood.first, flood.again);
    EXPECT_EQ(said(post()), "TokenResponseTooLarge " + at()) << flood.what;
    loop_.run_until([this] { return endpoint_.left == 1; });
    EXPECT_LT(endpoint_.sent, 12U * 1024 * 1024)
        << flood.what << ": only the kernel's buffers may have taken more";
  }
}

TEST_F(CpprestPostTest, OutlivesChunksThatMakeNoSense) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const auto* chunks : {"5\r\nhello\r\n-1\r\n\r\n\r\n", "-1\r\n\r\n\r\n", "5\r\nhello\r\n-2\r\n\r\n\r\n",
                             "fffffffffffffffff\r\n", "zz\r\n", "\r\n"}) {
    endpoint_.answer(chunked + chunks);
    EXPECT_FALSE(post()) << chunks;
  }
  endpoint_.answer(kOk);
  EXPECT_EQ(said(post()), "HTTP 200");
}

TEST_F(CpprestPostTest, MayGoWhileARequestIsUnderWay) {
  endpoint_.answer("");
  begin(request());
  loop_.run_until([this] { return endpoint_.requests.size() == 1; });
  post_.reset();
  timer_.advance(kPostDeadline);
  loop_.run_until([this] { return endpoint_.left == 1; });
}

}  // namespace
}  // namespace mailid::oauth
