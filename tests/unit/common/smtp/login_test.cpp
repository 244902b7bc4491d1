#include "common/smtp/login.hpp"

#include <array>
#include <gmock/gmock.h>

#include "common/smtp/sasl.hpp"
#include "tests/fakes/event_loop.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/fake_timer.hpp"
#include "tests/fakes/test_certificates.hpp"

namespace mailid::smtp {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using catalogue::Reason;
using catalogue::Step;
using testing::HasSubstr;

/// What a relay says to a greeting or command, in order. `<TLS>` behind it: then it makes the handshake.
using Script = std::vector<std::string>;

const std::string kTls = "<TLS>";
const std::string kToken = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL291dGxvb2sifQ.c2ln";

const Script kGood = {"220 relay.test ESMTP\r\n",
                      "250-relay.test\r\n250-PIPELINING\r\n250 STARTTLS\r\n",
                      "220 2.0.0 go\r\n" + kTls,
                      "250-relay.test\r\n250 AUTH XOAUTH2\r\n",
                      "334 \r\n",
                      "235 2.7.0 ok\r\n"};

class LoginTest : public testing::Test {
 protected:
  using Outcome = base::Expected<LoggedIn, LoginFailure>;

  LoginTest() {
    resolver_.put_loopback("relay.test", acceptor_.local_endpoint().port());
    use_certificate("DNS:relay.test");
  }

  void use_certificate(const std::string& names) {
    const auto certificate = authority_.issue(names);
    EXPECT_TRUE(server_tls_.use(certificate.pem, certificate.key));
  }

  /// A relay that plays `script` and then hangs up, and a client that logs in to it.
  Outcome log_in(const Script& script) {
    begin(script);
    loop_.run_until([this] { return outcome_.has_value(); });
    loop_.poll();
    return std::move(*outcome_);
  }

  void begin(const Script& script) {
    outcome_.reset();
    asio::co_spawn(loop_.executor(), serve(script), asio::detached);
    asio::co_spawn(loop_.executor(), client(), asio::detached);
    loop_.poll();
  }

  asio::awaitable<void> client() {
    auto outcome = co_await login(resolver_, timer_, client_tls_, request(), timer_.now() + 5s);
    outcome_.emplace(std::move(outcome));
  }

  LoginFailure failure(const Script& script) { return log_in(script).error(); }

  static LoginRequest request() {
    LoginRequest made;
    made.host = "relay.test";
    made.mailbox = "billing@contoso.test";
    made.token = std::make_shared<const base::Secret>(kToken);
    return made;
  }

  asio::awaitable<void> serve(Script script) {
    auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
    net::Stream stream(std::move(socket), timer_);
    const auto deadline = timer_.now() + 10s;
    for (std::size_t i = 0; i < script.size(); ++i) {
      if (i > 0 && !co_await hear(stream)) co_return;
      const bool change = script[i].ends_with(kTls);
      const auto said = script[i].substr(0, script[i].size() - (change ? kTls.size() : 0));
      if (!co_await stream.write_all(said, deadline)) co_return;
      if (change && !co_await stream.accept_tls(server_tls_, deadline)) co_return;
    }
    if (stay_) co_await hear(stream);
  }

  /// One line of the client, kept in heard_.
  asio::awaitable<bool> hear(net::Stream& stream) {
    std::array<char, 4096> buffer{};
    const auto begin = heard_.size();
    while (heard_.find('\n', begin) == std::string::npos) {
      const auto count = co_await stream.read_some(buffer, timer_.now() + 10s);
      if (!count) co_return false;
      heard_.append(buffer.data(), *count);
    }
    co_return true;
  }

  fakes::EventLoop loop_;
  fakes::FakeTimer timer_;
  fakes::FakeResolver resolver_;
  fakes::TestAuthority authority_;
  net::TlsServerContext server_tls_;
  net::TlsClientContext client_tls_{{"", authority_.pem()}};
  tcp::acceptor acceptor_{loop_.context(), {asio::ip::address_v4::loopback(), 0}};
  std::string heard_;
  bool stay_ = false;
  std::optional<Outcome> outcome_;
};

TEST_F(LoginTest, ComesBackWithAConnectionOnWhichMailMayBeSaid) {
  const auto outcome = log_in(kGood);
  ASSERT_TRUE(outcome) << outcome.error().failure.context;
  EXPECT_TRUE(outcome->stream.encrypted());
  EXPECT_TRUE(outcome->capabilities.offers_mechanism("XOAUTH2"));
  EXPECT_FALSE(outcome->capabilities.pipelining);
  EXPECT_THAT(heard_,
              HasSubstr("AUTH XOAUTH2\r\n" +
                        std::string(initial_response(contract::Mechanism::XOAuth2, "billing@contoso.test", "",
                                                     0, base::Secret(kToken))
                                        ->reveal())));
}

TEST_F(LoginTest, SendsNoCredentialToARelayOfAnotherName) {
  use_certificate("DNS:other.test");
  const auto failed = failure(kGood);
  EXPECT_EQ(failed.failure.reason, Reason::RelayCertificate);
  EXPECT_EQ(failed.step, Step::StartTls);
  EXPECT_EQ(heard_, "EHLO [127.0.0.1]\r\nSTARTTLS\r\n");
}

TEST_F(LoginTest, SendsNoCredentialToARelayThatNobodyVouchesFor) {
  const fakes::TestAuthority stranger;
  const auto certificate = stranger.issue("DNS:relay.test");
  ASSERT_TRUE(server_tls_.use(certificate.pem, certificate.key));
  EXPECT_EQ(failure(kGood).failure.reason, Reason::RelayCertificate);
  EXPECT_EQ(heard_, "EHLO [127.0.0.1]\r\nSTARTTLS\r\n");
}

TEST_F(LoginTest, MakesNoHandshakeBehindInjectedOctets) {
  Script script = kGood;
  script[2] = "220 2.0.0 go\r\n250 injected\r\n" + kTls;
  const auto failed = failure(script);
  EXPECT_EQ(failed.failure.reason, Reason::StartTlsInjection);
  EXPECT_EQ(failed.failure.context, "relay.test: octets in clear behind the answer to STARTTLS");
}

TEST_F(LoginTest, NamesTheStepAtWhichTheRelayHangsUp) {
  constexpr Step kSteps[] = {Step::Greeting, Step::Ehlo, Step::StartTls, Step::Ehlo, Step::Auth, Step::Auth};
  for (std::size_t said = 0; said < kGood.size(); ++said) {
    const auto failed = failure(Script(kGood.begin(), kGood.begin() + static_cast<std::ptrdiff_t>(said)));
    EXPECT_EQ(failed.failure.reason, Reason::RelayClosed) << said;
    EXPECT_EQ(failed.step, kSteps[said]) << said;
    EXPECT_EQ(failed.reply, std::nullopt);
  }
}

TEST_F(LoginTest, GivesTheRelaysRefusal) {
  Script script = kGood;
  script[5] = "535 5.7.3 Authentication unsuccessful\r\n";
  const auto failed = failure(script);
  EXPECT_EQ(failed.failure.reason, Reason::LoginRejected);
  EXPECT_EQ(failed.reply, make_reply(535, "5.7.3", "Authentication unsuccessful"));
}

TEST_F(LoginTest, SaysGoodbyeToARelayThatRefused) {
  stay_ = true;
  failure({"554 5.7.1 not you\r\n"});
  EXPECT_EQ(heard_, "QUIT\r\n");
}

TEST_F(LoginTest, EndsAtTheDeadline) {
  stay_ = true;
  begin({});
  EXPECT_FALSE(outcome_);
  timer_.advance(5s);
  loop_.run_until([this] { return outcome_.has_value(); });
  const auto failed = outcome_->error();
  EXPECT_EQ(failed.failure.reason, Reason::RelayTimeout);
  EXPECT_EQ(failed.step, Step::Greeting);
}

TEST_F(LoginTest, NamesAHostThatIsNotFound) {
  resolver_.known.clear();
  const auto failed = failure(kGood);
  EXPECT_EQ(failed.failure.reason, Reason::RelayUnreachable);
  EXPECT_EQ(failed.step, Step::Connect);
  EXPECT_THAT(failed.failure.context, HasSubstr("relay.test port 587, at connect: "));
}

TEST(RelayFailure, HasAReasonForEveryFault) {
  using net::Fault;
  const std::pair<Fault, Reason> kReasons[] = {
      {Fault::NameNotFound, Reason::RelayUnreachable},   {Fault::Unreachable, Reason::RelayUnreachable},
      {Fault::TimedOut, Reason::RelayTimeout},           {Fault::Closed, Reason::RelayClosed},
      {Fault::Certificate, Reason::RelayCertificate},    {Fault::Tls, Reason::RelayTlsFailed},
      {Fault::UnexpectedData, Reason::StartTlsInjection}};
  for (const auto& [fault, reason] : kReasons) EXPECT_EQ(relay_failure({fault, "x"}).reason, reason);
}

}  // namespace
}  // namespace mailid::smtp
