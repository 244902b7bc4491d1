// What a client of the webhook's port sees: the HTTP server and its certificates together.
#include <array>

#include "common/http/server.hpp"
#include "common/net/connect.hpp"
#include "operator/admission/authority.hpp"
#include "operator/admission/self_dial.hpp"
#include "tests/unit/operator/admission/coroutine_fixture.hpp"

namespace mailid::admission {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kName = "webhook.mail.svc";

asio::awaitable<http::Response> respond(http::Request) {
  co_return http::text_response(200, "ok");
}

class TlsTest : public CoroutineTest {
 protected:
  TlsTest() {
    limits_.handshake = 50ms;
    // The handshake looks at the machine's own clock.
    clock_.time = base::SystemClock().now();
    use(authority_);
  }

  static Certificate new_authority() {
    const auto now = base::SystemClock().now();
    return std::move(*make_authority("the test", {now - 1h, now + 24h}));
  }

  void use(const Certificate& authority) {
    const auto leaf = issue_serving(authority, kName, clock_.time);
    ASSERT_TRUE(tls_.use(leaf->certificate_pem, leaf->key_pem));
  }

  void serve() {
    server_ = std::make_unique<http::Server>(io_.get_executor(), timer_, log_, respond, limits_, &tls_);
    const auto port = server_->listen("127.0.0.1", 0);
    ASSERT_TRUE(port) << port.error().detail;
    port_ = *port;
  }

  http::Unready dial(const std::string& name = kName) {
    return run(dial_ourselves(resolver_, timer_, port_, name, authority_.certificate_pem));
  }

  /// What somebody gets who sends these bytes to the port instead of TLS, until the end of the connection.
  asio::awaitable<std::string> send_in_clear(std::string bytes) {
    const auto deadline = timer_.now() + 5s;
    auto stream = co_await net::connect(resolver_, timer_, "127.0.0.1", port_, deadline);
    co_await stream->write_all(bytes, deadline);
    std::array<char, 1024> buffer{};
    std::string answer;
    for (;;) {
      const auto count = co_await stream->read_some(buffer, deadline);
      if (!count) break;
      answer.append(buffer.data(), *count);
    }
    co_return answer;
  }

  Certificate authority_ = new_authority();
  net::SystemResolver resolver_{io_.get_executor(), timer_};
  net::TlsServerContext tls_;
  http::ServerLimits limits_;
  std::unique_ptr<http::Server> server_;
  std::uint16_t port_ = 0;
};

TEST_F(TlsTest, IsBelievedUnderTheServicesName) {
  serve();
  EXPECT_EQ(dial(), std::nullopt);
}

TEST_F(TlsTest, IsNotBelievedUnderAnotherName) {
  serve();
  EXPECT_THAT(dial("other.mail.svc").value_or(""), HasSubstr("other.mail.svc: "));
}

TEST_F(TlsTest, IsNotBelievedWithABundleOfAnotherAuthority) {
  serve();
  use(new_authority());
  EXPECT_NE(dial(), std::nullopt);
}

TEST_F(TlsTest, ServesANewCertificateToTheNextHandshake) {
  serve();
  const auto replaced = new_authority();
  use(replaced);
  authority_ = Certificate{replaced.certificate_pem, replaced.key_pem.clone()};
  EXPECT_EQ(dial(), std::nullopt);
}

TEST_F(TlsTest, KeepsTheOldCertificateWhereTheNewOneIsGarbage) {
  serve();
  EXPECT_FALSE(tls_.use("garbage", base::Secret("garbage")));
  EXPECT_FALSE(tls_.use(authority_.certificate_pem, new_authority().key_pem));
  EXPECT_EQ(dial(), std::nullopt);
}

TEST_F(TlsTest, IsUnreadyWithoutABundle) {
  serve();
  EXPECT_EQ(run(dial_ourselves(resolver_, timer_, port_, kName, "")), "the caBundle is not set yet");
}

TEST_F(TlsTest, IsUnreadyWhereNobodyListens) {
  serve();
  server_.reset();
  EXPECT_THAT(dial().value_or(""), HasSubstr("our own port: "));
}

TEST_F(TlsTest, EndsAConnectionThatSpeaksHttpInClear) {
  serve();
  const auto answer = run(send_in_clear("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(answer.find("200"), std::string::npos);
  EXPECT_EQ(dial(), std::nullopt);
}

TEST_F(TlsTest, EndsAConnectionThatNeverShakesHands) {
  serve();
  EXPECT_EQ(run(send_in_clear("\x16")), "");
}

}  // namespace
}  // namespace mailid::admission
