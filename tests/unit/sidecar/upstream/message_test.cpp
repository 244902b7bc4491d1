// What becomes of one message: what the relay gets, and what is said of it.
#include "tests/unit/sidecar/upstream/transport_fixture.hpp"

namespace mailid::upstream {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using MessageTest = TransportTest;

/// Lines that differ, with dots at their beginnings.
std::string long_text(std::size_t size) {
  std::string text = "Subject: long\r\n\r\n";
  for (int i = 0; text.size() < size; ++i) text += "." + std::to_string(i) + " of a long message\r\n";
  return text;
}

TEST_F(MessageTest, ArrivesAsItIsBehindOurTrace) {
  EXPECT_EQ(words(send(letter("Subject: x\r\n\r\n.dot\r\n..two\r\n"))), "250");
  ASSERT_EQ(relay_.mails.size(), 1U);
  EXPECT_EQ(relay_.mails[0].body, "Received: by us\r\nSubject: x\r\n\r\n.dot\r\n..two\r\n");
  EXPECT_THAT(relay_.mails[0].recipients, ElementsAre("TO:<ann@example.test>"));
}

TEST_F(MessageTest, SaysItsSizeWithOurTrace) {
  send(letter("x\r\n"));
  EXPECT_EQ(relay_.mails[0].sender, "FROM:<billing@contoso.test> SIZE=20");
}

TEST_F(MessageTest, BringsBackTheRelaysOwnWords) {
  relay_.answer("DOT", "250 2.0.0 OK queued as 4711\r\n");
  const auto outcome = send();
  EXPECT_EQ(std::get<delivery::Accepted>(outcome).reply, smtp::make_reply(250, "2.0.0", "OK queued as 4711"));
}

TEST_F(MessageTest, ArrivesWholeWhereItIsLong) {
  const auto text = long_text(3'000'000);
  EXPECT_EQ(words(send(letter(text))), "250");
  ASSERT_EQ(relay_.mails.size(), 1U);
  EXPECT_EQ(relay_.mails[0].body, "Received: by us\r\n" + text);
  EXPECT_EQ(disk_.created, 1);
}

TEST_F(MessageTest, ArrivesWholeWhateverItsLength) {
  // Around one piece: the final dot may need a piece of its own.
  for (std::size_t size = 15 * 1024 - 3; size <= 15 * 1024 + 3; ++size) {
    const std::string text(size, 'x');
    EXPECT_EQ(words(send(letter(text + "\r\n"))), "250");
    EXPECT_EQ(relay_.mails.back().body, "Received: by us\r\n" + text + "\r\n");
  }
}

TEST_F(MessageTest, EndsALineThatTheAppLeftOpen) {
  send(letter("no end"));
  EXPECT_EQ(relay_.mails[0].body, "Received: by us\r\nno end\r\n");
}

TEST_F(MessageTest, GoesToAllRecipientsOrNobody) {
  auto many = letter();
  many->envelope.recipients = {"ann@example.test", "bob@example.test", "eve@example.test"};
  relay_.answer_once("RCPT", "250 2.1.5 ok\r\n");
  relay_.answer_once("RCPT", "550 5.1.1 no such user\r\n");
  const auto outcome = send(many);
  EXPECT_EQ(words(outcome), "RecipientRejected");
  EXPECT_EQ(refused(outcome).recipient, "bob@example.test");
  EXPECT_EQ(refused(outcome).reply, smtp::make_reply(550, "5.1.1", "no such user"));
  EXPECT_EQ(relay_.body_octets, 0U);
  EXPECT_THAT(relay_.mails, IsEmpty());
}

TEST_F(MessageTest, IsNotJudgedByWhatItsAddressesSay) {
  auto strange = letter();
  strange->envelope.recipients = {"ann@throttling.example.test"};
  relay_.answer_once("RCPT",
                     "450 4.1.2 <Ann@Throttling.example.test>: Recipient address rejected: Domain not found, "
                     "name=throttling.example.test\r\n");
  EXPECT_EQ(words(send(strange)), "RelayBusy");
  strange->envelope.recipients = {"\"submission quota\"@example.test"};
  relay_.answer_once("RCPT", "550 5.1.1 <\"submission quota\"@example.test>: no such user\r\n");
  const auto outcome = send(strange);
  EXPECT_EQ(words(outcome), "RecipientRejected");
  EXPECT_THAT(refused(outcome).reply->text(), HasSubstr("submission quota"));
}

TEST_F(MessageTest, IsJudgedByTheRelaysWordsBesideAnAddress) {
  relay_.answer_once("RCPT", "450 4.7.1 <ann@example.test>: rate limit exceeded\r\n");
  EXPECT_EQ(words(send()), "RelayRateLimit");
}

TEST_F(MessageTest, DoesNotInheritTheRecipientsOfOneThatWasRefused) {
  auto many = letter();
  many->envelope.recipients = {"bob@example.test", "eve@example.test"};
  relay_.answer_once("RCPT", "550 5.1.1 no such user\r\n");
  send(many);
  EXPECT_EQ(words(send()), "250");
  EXPECT_THAT(relay_.mails[0].recipients, ElementsAre("TO:<ann@example.test>"));
  EXPECT_EQ(relay_.connections, 1);
  EXPECT_EQ(relay_.count("RSET"), 1U);
}

TEST_F(MessageTest, WithAddressesOfAllTheWorldNeedsARelayThatTakesThem) {
  relay_.answer("EHLO-TLS", "250-relay.test\r\n250 AUTH XOAUTH2\r\n");
  auto international = letter();
  international->envelope.smtputf8 = true;
  international->envelope.recipients = {"jürgen@example.test"};
  const auto outcome = send(international);
  EXPECT_EQ(words(outcome), "SmtpUtf8Missing");
  EXPECT_EQ(relay_.count("MAIL"), 0U);
  // The connection is as good as before.
  EXPECT_EQ(words(send()), "250");
  EXPECT_EQ(relay_.connections, 1);
}

TEST_F(MessageTest, WithAHeaderOfAllTheWorldNeedsARelayThatTakesIt) {
  relay_.answer("EHLO-TLS", "250-relay.test\r\n250 AUTH XOAUTH2\r\n");
  auto international = letter("Subject: Grüße\r\n\r\nHallo\r\n");
  international->envelope.smtputf8 = true;
  EXPECT_EQ(words(send(international)), "SmtpUtf8Missing");
}

TEST_F(MessageTest, GoesOutWhereTheAppOnlyAskedForSmtpUtf8) {
  relay_.answer("EHLO-TLS", "250-relay.test\r\n250 AUTH XOAUTH2\r\n");
  auto ascii = letter("Subject: hello\r\n\r\nGrüße\r\n");
  ascii->envelope.smtputf8 = true;
  EXPECT_EQ(words(send(ascii)), "250");
  EXPECT_EQ(relay_.mails[0].sender, "FROM:<billing@contoso.test>");
}

TEST_F(MessageTest, SaysSmtpUtf8WhereItIsOffered) {
  auto international = letter();
  international->envelope.smtputf8 = true;
  EXPECT_EQ(words(send(international)), "250");
  EXPECT_THAT(relay_.mails[0].sender, HasSubstr(" SMTPUTF8"));
}

TEST_F(MessageTest, IsRefusedInTheMiddleOfItsBody) {
  relay_.refuse_body_after = 100'000;
  const auto outcome = send(letter(long_text(4'000'000)));
  EXPECT_EQ(words(outcome), "MessageTooLarge");
  EXPECT_EQ(refused(outcome).reply, smtp::make_reply(552, "5.3.4", "too large"));
  EXPECT_EQ(connections("idle"), 0);
}

TEST_F(MessageTest, GivesUpOnARelayThatTakesNoMoreOfIt) {
  const auto outcome = begin_until("BODY", letter(long_text(12'000'000)));
  timer_.advance(59s);
  loop_.poll();
  EXPECT_FALSE(outcome->has_value());
  timer_.advance(1s);
  EXPECT_EQ(words(loop_.wait_for(outcome)), "RelayTimeout");
}

TEST_F(MessageTest, IsNotFinishedWhereOurDiskBreaks) {
  const auto large = letter(long_text(200'000));
  disk_.refuse_reads = true;
  EXPECT_EQ(words(send(large)), "DiskFull");
  EXPECT_EQ(connections("idle"), 0);
  until_open(0);
  EXPECT_THAT(relay_.mails, IsEmpty());
}

TEST_F(MessageTest, MayTakeLongerThanItsDeadlineOnceItIsOnItsWay) {
  const auto outcome = begin_until("DOT");
  timer_.advance(9min);
  loop_.poll();
  EXPECT_FALSE(outcome->has_value());
  relay_.release("DOT");
  EXPECT_EQ(words(loop_.wait_for(outcome)), "250");
}

TEST_F(MessageTest, IsInAnUnknownStateAfterTenMinutes) {
  const auto outcome = begin_until("DOT");
  timer_.advance(10min);
  EXPECT_EQ(words(loop_.wait_for(outcome)), "Unknown");
}

TEST_F(MessageTest, IsGivenUpWhereTheAppHasGoneAndItsDeadlineIsPast) {
  std::stop_source app;
  const auto abandoned = letter();
  abandoned->message.app_gone = app.get_token();
  const auto outcome = begin_until("DOT", abandoned);
  timer_.advance(25s);
  loop_.poll();
  EXPECT_FALSE(outcome->has_value());
  app.request_stop();
  EXPECT_EQ(words(loop_.wait_for(outcome)), "Unknown");
}

TEST_F(MessageTest, IsStillDeliveredWhereTheAppHasGoneBeforeItsDeadline) {
  std::stop_source app;
  const auto abandoned = letter();
  abandoned->message.app_gone = app.get_token();
  const auto outcome = begin_until("DOT", abandoned);
  app.request_stop();
  loop_.poll();
  relay_.release("DOT");
  EXPECT_EQ(words(loop_.wait_for(outcome)), "250");
}

TEST_F(MessageTest, IsInAnUnknownStateWhereTheAnswerIsCutOff) {
  for (const std::string half : {"", "2", "250", "250 2.0.0 queued", "250-queued\r\n", "not SMTP\r\n"}) {
    relay_.cut_once("DOT", half);
    EXPECT_EQ(words(send()), "Unknown") << half;
  }
}

TEST_F(MessageTest, IsNeverSentAgainWhereItsStateIsUnknown) {
  ASSERT_EQ(words(send()), "250");
  relay_.cut_once("DOT");
  EXPECT_EQ(words(send()), "Unknown");
  EXPECT_EQ(relay_.count("DOT"), 2U);
  EXPECT_EQ(relay_.connections, 1);
}

TEST_F(MessageTest, IsKnownToBeRefusedWhereTheDotIsAnsweredSo) {
  relay_.answer_once("DOT", "451 4.3.0 try later\r\n");
  EXPECT_EQ(words(send()), "RelayBusy");
  relay_.answer_once("DOT", "550 5.7.1 looks like spam\r\n");
  EXPECT_EQ(words(send()), "MessageRejected");
  relay_.answer_once("DOT", "421 4.3.2 going down\r\n");
  EXPECT_EQ(words(send()), "RelayBusy");
}

TEST_F(MessageTest, LeavesNoAddressAndNoTokenInTheLog) {
  send();
  relay_.answer("TOKEN", "535 5.7.3 billing@contoso.test is not allowed\r\n");
  rotate("other-token");
  send();
  EXPECT_THAT(logged_, HasSubstr("LoginRejected"));
  EXPECT_THAT(logged_, Not(HasSubstr("contoso")));
  EXPECT_THAT(logged_, Not(HasSubstr("example.test")));
  EXPECT_THAT(logged_, Not(HasSubstr("token")));
}

}  // namespace
}  // namespace mailid::upstream
