// Connecting and logging in: what is refused, what is tried again, and that no credential leaves TLS.
#include "tests/unit/sidecar/upstream/transport_fixture.hpp"

namespace mailid::upstream {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class LoginTest : public TransportTest {
 protected:
  void TearDown() override {
    EXPECT_THAT(relay_.clear, Not(HasSubstr("AUTH")));
    EXPECT_THAT(relay_.clear, Not(HasSubstr(base::base64_encode("user=bill").substr(0, 10))));
  }

  /// A new token comes while the relay looks at the old one.
  auto send_while_the_token_changes() {
    const auto outcome = begin_until("TOKEN");
    tokens_.put_for_refresh(settings_, "new");
    relay_.release("TOKEN");
    return loop_.wait_for(outcome);
  }
};

TEST_F(LoginTest, SaysNothingButEhloAndStartTlsInClear) {
  EXPECT_EQ(words(send()), "250");
  EXPECT_EQ(relay_.clear, "EHLO [127.0.0.1]\r\nSTARTTLS\r\n");
}

TEST_F(LoginTest, NeedsACertificateForTheRelaysName) {
  relay_.use_certificate(relay_.authority().issue("DNS:other.test", "relay.test"));
  const auto outcome = send();
  EXPECT_EQ(words(outcome), "RelayCertificate");
  EXPECT_THAT(refused(outcome).context, HasSubstr("ostname mismatch"));
  EXPECT_EQ(relay_.count("EHLO-TLS"), 0U);
}

TEST_F(LoginTest, NeedsACertificateThatHasNotEnded) {
  relay_.use_certificate(relay_.authority().issue_expired("DNS:relay.test"));
  EXPECT_EQ(words(send()), "RelayCertificate");
  EXPECT_EQ(relay_.count("EHLO-TLS"), 0U);
}

TEST_F(LoginTest, NeedsAnAuthorityThatItTrusts) {
  settings_.ca_bundle = fakes::TestAuthority().pem();
  rotate("token");
  EXPECT_EQ(words(send()), "RelayCertificate");
  settings_.ca_bundle = relay_.authority().pem();
  rotate("token");
  EXPECT_EQ(words(send()), "250");
}

TEST_F(LoginTest, NeedsStartTls) {
  relay_.answer("EHLO", "250-relay.test\r\n250 AUTH XOAUTH2\r\n");
  EXPECT_EQ(words(send()), "StartTlsMissing");
  EXPECT_THAT(relay_.tokens_seen, IsEmpty());
}

TEST_F(LoginTest, EndsWhereSomethingIsInjectedBehindStartTls) {
  relay_.answer("STARTTLS", "220 2.0.0 ready\r\n250-relay.test\r\n250 AUTH XOAUTH2\r\n");
  EXPECT_EQ(words(send()), "StartTlsInjection");
  EXPECT_EQ(relay_.count("EHLO-TLS"), 0U);
}

TEST_F(LoginTest, NeedsTheMechanism) {
  relay_.answer("EHLO-TLS", "250-relay.test\r\n250 AUTH PLAIN LOGIN\r\n");
  EXPECT_EQ(words(send()), "MechanismMissing");
  EXPECT_EQ(relay_.count("AUTH"), 0U);
}

TEST_F(LoginTest, NeedsARelayThatIsThere) {
  resolver_.known.clear();
  EXPECT_EQ(words(send()), "RelayUnreachable");
  resolver_.put_loopback("relay.test", 1);
  EXPECT_EQ(words(send()), "RelayUnreachable");
}

TEST_F(LoginTest, WarnsOnceOfARelayThatStaysAway) {
  const std::string warning = R"("level":"warning","message":"no connection to the relay")";
  for (std::uint16_t port = 1; port <= 3; ++port) {
    resolver_.put_loopback("relay.test", port);
    send();
  }
  ASSERT_THAT(logged_, HasSubstr(warning));
  EXPECT_EQ(logged_.find(warning), logged_.rfind(warning));

  resolver_.put_loopback("relay.test", relay_.port());
  EXPECT_EQ(words(send()), "250");
  relay_.close_all();
  resolver_.known.clear();
  send();
  EXPECT_NE(logged_.find(warning), logged_.rfind(warning)) << "it was there and went away again";
}

TEST_F(LoginTest, NeedsAToken) {
  tokens_.fail("billing", {catalogue::Reason::TokenMissing, "no token yet"});
  const auto outcome = send();
  EXPECT_EQ(words(outcome), "TokenMissing");
  EXPECT_EQ(refused(outcome).context, "no token yet");
  EXPECT_EQ(relay_.connections, 0);
}

TEST_F(LoginTest, TakesTheTokenThatIsThereAtTheMomentOfTheLogin) {
  relay_.tokens = {"new"};
  tokens_.put_for_refresh(settings_, "new");
  EXPECT_EQ(words(send()), "250");
  EXPECT_THAT(relay_.tokens_seen, ElementsAre("new"));
}

TEST_F(LoginTest, IsTriedOnceMoreWhereTheTokenHasJustChanged) {
  relay_.tokens = {"new"};
  EXPECT_EQ(words(send_while_the_token_changes()), "250");
  EXPECT_THAT(relay_.tokens_seen, ElementsAre("token", "new"));
}

TEST_F(LoginTest, IsTriedOnlyOnceMore) {
  relay_.tokens = {};
  EXPECT_EQ(words(send_while_the_token_changes()), "LoginRejected");
  EXPECT_THAT(relay_.tokens_seen, ElementsAre("token", "new"));
}

TEST_F(LoginTest, IsNotTriedAgainWithTheSameToken) {
  relay_.tokens = {};
  const auto first = send();
  EXPECT_EQ(words(first), "LoginRejected");
  const auto second = send();
  EXPECT_EQ(words(second), "LoginRejected");
  EXPECT_EQ(refused(second).reply, smtp::make_reply(535, "5.7.3", "Authentication unsuccessful"));
  EXPECT_EQ(relay_.connections, 1);
  EXPECT_EQ(metrics_.value("mail_sidecar_auth_failures_total", {{"code", "535"}}), 1);
}

TEST_F(LoginTest, GoesOnWithANewToken) {
  relay_.tokens = {"new"};
  send();
  rotate("new");
  EXPECT_EQ(words(send()), "250");
}

TEST_F(LoginTest, GoesOnWithANewTokenThatNobodyHasNoticed) {
  relay_.tokens = {"new"};
  send();
  tokens_.put_for_refresh(settings_, "new");
  EXPECT_EQ(words(send()), "250");
}

TEST_F(LoginTest, EndsForThoseWhoWaitWhereItIsRejected) {
  settings_.connections = 1;
  rotate("token");
  relay_.tokens = {};
  const auto first = begin_until("TOKEN");
  const auto second = begin();
  relay_.release("TOKEN");
  EXPECT_EQ(words(loop_.wait_for(first)), "LoginRejected");
  EXPECT_EQ(words(loop_.wait_for(second)), "LoginRejected");
  EXPECT_EQ(relay_.connections, 1);
}

TEST_F(LoginTest, IsTriedAgainWhereTheRelayWasOnlyBusy) {
  relay_.answer_once("TOKEN", "454 4.7.0 Temporary authentication failure\r\n");
  EXPECT_EQ(words(send()), "LoginUnavailable");
  EXPECT_EQ(words(send()), "250");
}

TEST_F(LoginTest, EndsAtTheMessagesDeadline) {
  const auto outcome = begin_until("EHLO-TLS");
  timer_.advance(20s);
  EXPECT_EQ(words(loop_.wait_for(outcome)), "RelayTimeout");
  EXPECT_EQ(connections("in_use"), 0);
}

/// A relay that misbehaves at one step on a fresh connection.
class StepTest : public LoginTest, public testing::WithParamInterface<const char*> {
 protected:
  std::string step() const { return GetParam(); }
  /// The mail may have been delivered only where the dot was sent.
  std::string cut_off() const { return step() == "DOT" ? "Unknown" : "RelayClosed"; }
  bool before_the_token() const {
    const std::set<std::string> before{"GREETING", "EHLO", "STARTTLS", "EHLO-TLS", "AUTH"};
    return before.contains(step());
  }
  void expect_no_mail_and_no_early_token() {
    EXPECT_THAT(relay_.mails, IsEmpty());
    if (before_the_token()) {
      EXPECT_THAT(relay_.tokens_seen, IsEmpty());
    }
  }
};

TEST_P(StepTest, CanBeCut) {
  relay_.cut_once(step());
  EXPECT_EQ(words(send()), cut_off());
  expect_no_mail_and_no_early_token();
}

TEST_P(StepTest, CanBeCutInTheMiddleOfTheAnswer) {
  relay_.cut_once(step(), step() == "DOT" ? "4" : "250-and so");
  EXPECT_EQ(words(send()), cut_off());
  expect_no_mail_and_no_early_token();
}

TEST_P(StepTest, CanStaySilent) {
  const auto outcome = begin_until(step());
  timer_.advance(20s);
  if (step() == "DOT") timer_.advance(10min);
  EXPECT_EQ(words(loop_.wait_for(outcome)), step() == "DOT" ? "Unknown" : "RelayTimeout");
  expect_no_mail_and_no_early_token();
}

TEST_P(StepTest, CanRefuseForNow) {
  relay_.answer_once(step(), "450 4.3.0 not now\r\n");
  const auto outcome = send();
  ASSERT_TRUE(std::holds_alternative<delivery::Refused>(outcome));
  EXPECT_EQ(refused(outcome).reply, smtp::make_reply(450, "4.3.0", "not now"));
  EXPECT_EQ(catalogue::entry(refused(outcome).reason).cls, catalogue::Class::Transient);
  expect_no_mail_and_no_early_token();
}

TEST_P(StepTest, CanRefuseForGood) {
  relay_.answer_once(step(), "554 5.0.0 never\r\n");
  const auto outcome = send();
  ASSERT_TRUE(std::holds_alternative<delivery::Refused>(outcome));
  EXPECT_EQ(refused(outcome).reply, smtp::make_reply(554, "5.0.0", "never"));
  expect_no_mail_and_no_early_token();
}

TEST_P(StepTest, CanEndTheConnection) {
  relay_.cut_once(step(), "421 4.3.2 going down\r\n");
  const auto outcome = send();
  ASSERT_TRUE(std::holds_alternative<delivery::Refused>(outcome));
  EXPECT_EQ(refused(outcome).reply->code, 421);
  EXPECT_EQ(connections("idle"), 0);
  expect_no_mail_and_no_early_token();
}

TEST_P(StepTest, CanSpeakNoSmtp) {
  relay_.answer_once(step(), "HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_EQ(words(send()), step() == "DOT" ? "Unknown" : "RelayProtocolError");
  EXPECT_EQ(connections("idle"), 0);
  expect_no_mail_and_no_early_token();
}

TEST_P(StepTest, DoesNotDisturbTheNextMessage) {
  relay_.cut_once(step());
  send();
  EXPECT_EQ(words(send()), "250");
  EXPECT_EQ(relay_.mails.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Every, StepTest,
                         testing::Values("GREETING", "EHLO", "STARTTLS", "EHLO-TLS", "AUTH", "TOKEN", "MAIL",
                                         "RCPT", "DATA", "DOT"));

}  // namespace
}  // namespace mailid::upstream
