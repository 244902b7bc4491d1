#include "sidecar/delivery/delivery.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/event_loop.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_random.hpp"
#include "tests/fakes/fake_timer.hpp"
#include "tests/fakes/fake_token_source.hpp"
#include "tests/fakes/fake_transport.hpp"

namespace mailid::delivery {
namespace {

using catalogue::Failure;
using catalogue::Reason;
using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kMail = "From: billing@contoso.test\r\nSubject: x\r\n\r\ntext\r\n";

class DeliveryTest : public testing::Test {
 protected:
  using Recipients = std::vector<std::string>;

  DeliveryTest() {
    for (const auto* name : {"billing", "alerts"}) {
      identities_.put(fakes::FakeTokenSource::settings_of(name), "token");
    }
  }

  /// What the app is told for this message, as it is on the wire.
  std::string deliver(std::string_view mail = kMail, std::string sender = "billing@contoso.test",
                      Recipients recipients = {"ann@x.test"}) {
    const auto answer = begin(mail, std::move(sender), std::move(recipients));
    loop_.poll();
    return *answer;
  }
  std::shared_ptr<std::string> begin(std::string_view mail = kMail,
                                     std::string sender = "billing@contoso.test",
                                     Recipients recipients = {"ann@x.test"}) {
    auto message = std::make_shared<Mail>(disk_);
    message->envelope.sender = std::move(sender);
    message->envelope.recipients = std::move(recipients);
    EXPECT_TRUE(message->body.append(mail));
    auto answer = std::make_shared<std::string>("none yet");
    auto keep = [answer, message](const std::exception_ptr& failure, const smtp::Reply& reply) {
      EXPECT_FALSE(failure);
      *answer = smtp::format(reply);
    };
    asio::co_spawn(loop_.executor(),
                   delivery_.deliver(message->envelope, message->body, app_gone_.get_token()),
                   std::move(keep));
    return answer;
  }
  double counted(std::string_view result) {
    return metrics_.value("mail_sidecar_messages_total", {{"result", result}});
  }
  std::string octets() const { return transport_.sent().at(0).octets; }
  /// Settings of the pod's identity with one thing changed.
  void put(void (*change)(contract::Identity&)) {
    auto settings = fakes::FakeTokenSource::settings_of("billing");
    change(settings);
    identities_.put(std::move(settings), "token");
  }

  struct Mail {
    explicit Mail(spool::Disk& disk) : body(disk) {}
    server::Envelope envelope;
    spool::Body body;
  };

  fakes::EventLoop loop_;
  fakes::FakeTimer timer_;
  fakes::FakeClock clock_;
  fakes::FakeRandom random_;
  fakes::FakeTransport transport_;
  fakes::FakeTokenSource identities_;
  base::Metrics metrics_;
  std::string logged_;
  base::Log log_{clock_, base::LogLevel::Info, [this](std::string_view line) { logged_ += line; }};
  fakes::FakeDisk disk_;
  std::stop_source app_gone_;
  Surroundings around_{identities_, transport_, timer_, clock_, random_, metrics_, log_};
  Delivery delivery_{{"billing", "alerts"}, around_};
};

TEST_F(DeliveryTest, AnswersWithTheRelaysYes) {
  EXPECT_EQ(deliver(), "250 2.0.0 Ok: queued as 4X7\r\n");
  EXPECT_EQ(counted("accepted"), 1);
}

TEST_F(DeliveryTest, SendsTheAppsOctetsBehindItsTraceFields) {
  deliver();
  EXPECT_THAT(octets(), StartsWith("Received: from localhost by mail-sidecar with ESMTP id "));
  EXPECT_THAT(octets(), HasSubstr("\r\nDate: Tue, 24 Nov 2026 00:00:00 +0000\r\nMessage-ID: <"));
  EXPECT_THAT(octets(), EndsWith(std::string(kMail)));
}

TEST_F(DeliveryTest, GivesTheAppsTimeToTheTransport) {
  deliver();
  EXPECT_EQ(transport_.sent()[0].deadline, timer_.now() + seconds(25));
}

TEST_F(DeliveryTest, KeepsDateAndMessageIdForARetry) {
  transport_.then(Refused{Reason::RelayClosed});
  const auto answer = begin();
  loop_.poll();
  clock_.advance(seconds(5));
  timer_.advance(seconds(5));
  loop_.poll();
  ASSERT_EQ(transport_.sent().size(), 2U);
  EXPECT_EQ(transport_.sent()[0].octets, transport_.sent()[1].octets);
}

TEST_F(DeliveryTest, SendsTheEmptySenderAsTheMailbox) {
  deliver(kMail, "");
  EXPECT_EQ(transport_.sent()[0].sender, "billing@contoso.test");
}

TEST_F(DeliveryTest, GoesOutThroughTheIdentityThatAllowsTheSender) {
  identities_.put(fakes::FakeTokenSource::settings_of("alerts"), "token");
  deliver("From: alerts@contoso.test\r\n\r\n", "alerts@contoso.test");
  EXPECT_EQ(transport_.sent()[0].identity, "alerts");
}

TEST_F(DeliveryTest, RefusesASenderThatNoIdentityAllows) {
  EXPECT_EQ(deliver(kMail, "ceo@contoso.test"),
            "550 5.7.1 <ceo@contoso.test> is not a sender of identity billing\r\n");
  EXPECT_THAT(transport_.sent(), IsEmpty());
  EXPECT_EQ(counted("refused"), 1);
}

TEST_F(DeliveryTest, RefusesAnAuthorThatTheIdentityDoesNotAllowBeforeAnythingLeaves) {
  EXPECT_THAT(deliver("From: CEO <ceo@contoso.test>\r\n\r\nPay now.\r\n"),
              StartsWith("550 5.7.1 <ceo@contoso.test>"));
  EXPECT_THAT(transport_.sent(), IsEmpty());
}

TEST_F(DeliveryTest, RefusesAnAuthorOfAnotherIdentity) {
  EXPECT_THAT(deliver("From: alerts@contoso.test\r\n\r\n"), StartsWith("550 5.7.1 "));
}

TEST_F(DeliveryTest, TellsAWrongSenderAtMail) {
  server::Envelope envelope;
  envelope.sender = "ceo@contoso.test";
  ASSERT_TRUE(delivery_.check_sender(envelope));
  EXPECT_EQ(smtp::format(*delivery_.check_sender(envelope)),
            "550 5.7.1 <ceo@contoso.test> is not a sender of identity billing\r\n");
  envelope.sender = "billing@contoso.test";
  EXPECT_FALSE(delivery_.check_sender(envelope));
  envelope.sender = "";
  EXPECT_FALSE(delivery_.check_sender(envelope));
}

TEST_F(DeliveryTest, DoesNotJudgeASenderWithoutAnIdentity) {
  identities_.fail("billing", Failure{Reason::IdentityMissing, "identity billing"});
  server::Envelope envelope;
  envelope.sender = "ceo@contoso.test";
  EXPECT_FALSE(delivery_.check_sender(envelope));
}

TEST_F(DeliveryTest, DefersASenderWhoMayBelongToAnIdentityThatIsNotKnownYet) {
  for (const auto reason : {Reason::IdentityMissing, Reason::TokenMissing}) {
    identities_.fail("alerts", Failure{reason, "identity alerts"});
    server::Envelope envelope;
    envelope.sender = "somebody@contoso.test";
    EXPECT_FALSE(delivery_.check_sender(envelope));
    const auto answer = deliver(kMail, "somebody@contoso.test");
    EXPECT_THAT(answer, StartsWith("451 4.7.0 "));
    EXPECT_THAT(answer, HasSubstr("identity alerts"));
    EXPECT_THAT(deliver(), StartsWith("250 ")) << "the other identity goes on";
  }
  EXPECT_EQ(transport_.sent().size(), 2U);
}

TEST_F(DeliveryTest, RefusesASenderWhoseIdentityIsOnlyWithoutALivingToken) {
  identities_.fail("alerts", Failure{Reason::TokenExpired, "identity alerts"});
  EXPECT_THAT(deliver(kMail, "somebody@contoso.test"), StartsWith("550 5.7.1 "));
}

TEST_F(DeliveryTest, AnswersAtOnceAndSaysWhyWithoutAToken) {
  identities_.fail("billing", Failure{Reason::TokenMissing, "identity billing"});
  EXPECT_THAT(deliver(), StartsWith("451 4.7.0 TokenMissing: "));
  EXPECT_EQ(counted("deferred"), 1);
}

TEST_F(DeliveryTest, RefusesWhatIsLargerThanTheIdentityTakes) {
  put([](contract::Identity& settings) { settings.message_size = 20; });
  EXPECT_THAT(deliver(), StartsWith("552 5.3.4 "));
}

TEST_F(DeliveryTest, DefersMoreRecipientsThanTheIdentityTakes) {
  put([](contract::Identity& settings) { settings.recipients = 1; });
  EXPECT_THAT(deliver(kMail, "billing@contoso.test", {"a@x.test", "b@x.test"}), StartsWith("452 4.5.3 "));
}

TEST_F(DeliveryTest, OffersTheLargestLimitsOfAllIdentities) {
  auto settings = fakes::FakeTokenSource::settings_of("alerts");
  settings.message_size = 100'000'000;
  settings.recipients = 10;
  identities_.put(settings, "token");
  EXPECT_EQ(delivery_.message_size_limit(), 100'000'000U);
  EXPECT_EQ(delivery_.recipient_limit(), 500U);
}

TEST_F(DeliveryTest, RefusesNoMessageAsTooLargeWhileAnIdentityCannotBeUsed) {
  for (const auto reason : {Reason::IdentityMissing, Reason::TokenExpired}) {
    identities_.fail("billing", Failure{reason, "identity billing"});
    EXPECT_EQ(delivery_.message_size_limit(), contract::kLargestMessageSize);
  }
}

TEST_F(DeliveryTest, CountsWhatNobodyKnowsAndNeverSendsItAgain) {
  transport_.then(Unknown{"reset"});
  EXPECT_EQ(deliver(), "451 4.4.2 delivery state unknown\r\n");
  EXPECT_EQ(metrics_.value("mail_sidecar_ambiguous_total"), 1);
  EXPECT_EQ(counted("unknown"), 1);
  EXPECT_EQ(transport_.sent().size(), 1U);
}

TEST_F(DeliveryTest, NamesTheRecipientThatWasRefused) {
  transport_.then(
      Refused{Reason::RecipientRejected, smtp::make_reply(550, "5.1.1", "unknown"), {}, "bob@x.test"});
  EXPECT_THAT(deliver(kMail, "billing@contoso.test", {"ann@x.test", "bob@x.test"}),
              HasSubstr("<bob@x.test>"));
}

TEST_F(DeliveryTest, SaysSoWhereTheDiskIsBroken) {
  const auto answer = begin(std::string(kMail) + std::string(100'000, 'x') + "\r\n");
  disk_.refuse_reads = true;
  loop_.poll();
  EXPECT_THAT(*answer, StartsWith("452 4.3.1 "));
}

TEST_F(DeliveryTest, LogsAndCountsWhatWasTurnedAwayBeforeItGotHere) {
  server::Envelope envelope;
  envelope.sender = "ceo@contoso.test";
  delivery_.turned_away(envelope, *delivery_.check_sender(envelope), Reason::SenderNotAllowed);
  EXPECT_EQ(counted("refused"), 1);
  EXPECT_THAT(logged_,
              HasSubstr(R"("message":"message refused","identity":"billing","from":"c***@contoso.test")"));
  EXPECT_THAT(logged_,
              HasSubstr(R"("reason":"SenderNotAllowed","reply":"550 5.7.1 <c***@contoso.test> is not)"));
  EXPECT_THAT(logged_, Not(HasSubstr("ceo@")));
  delivery_.turned_away(envelope, smtp::make_reply(452, "4.3.1", "full"), Reason::DiskFull);
  EXPECT_EQ(counted("deferred"), 1);
}

TEST_F(DeliveryTest, LogsTheAppsMessageIdOfWhatWentNowhereToo) {
  constexpr std::string_view kNamed = "From: billing@contoso.test\r\nMessage-ID: <invoice-7@app>\r\n\r\n";
  deliver(kNamed, "ceo@contoso.test");
  identities_.fail("billing", Failure{Reason::TokenMissing, "identity billing"});
  deliver(kNamed);
  const auto first = logged_.find(R"("message_id":"<invoice-7@app>")");
  ASSERT_NE(first, std::string::npos);
  EXPECT_NE(logged_.find(R"("message_id":"<invoice-7@app>")", first + 1), std::string::npos);
}

TEST_F(DeliveryTest, LogsOneLineWithTheMessageIdAndNoAddress) {
  deliver("From: billing@contoso.test\r\nMessage-ID: <invoice-7@app>\r\n\r\n");
  EXPECT_EQ(std::count(logged_.begin(), logged_.end(), '\n'), 1);
  EXPECT_THAT(logged_, HasSubstr(R"("message_id":"<invoice-7@app>")"));
  EXPECT_THAT(logged_, HasSubstr(R"("from":"b***@contoso.test","to":"a***@x.test","recipients":1)"));
  EXPECT_THAT(logged_, HasSubstr(R"("reply":"250 2.0.0 Ok: queued as 4X7")"));
  EXPECT_THAT(logged_, Not(HasSubstr("billing@")));
  EXPECT_THAT(logged_, Not(HasSubstr("ann@")));
}

TEST_F(DeliveryTest, LogsOurMessageIdWhereTheAppGaveNone) {
  deliver();
  const auto id = octets().substr(octets().find("Message-ID: ") + 12, 10);
  EXPECT_THAT(logged_, HasSubstr("\"message_id\":\"" + id));
}

TEST_F(DeliveryTest, LogsTheReasonAndTheRelaysWordsWithoutAddresses) {
  transport_.then_refuse(Reason::RecipientRejected, 550, "5.1.1", "<ann@x.test>: unknown");
  deliver();
  EXPECT_THAT(logged_,
              HasSubstr(R"("reason":"RecipientRejected","reply":"550 5.1.1 <a***@x.test>: unknown")"));
}

TEST_F(DeliveryTest, NamesWhatIsLeftBehind) {
  net::Wakeup gate(loop_.executor());
  transport_.hold(gate, timer_);
  const auto answer = begin();
  loop_.poll();
  EXPECT_EQ(delivery_.under_way(), 1U);
  delivery_.name_left_behind();
  EXPECT_THAT(logged_, HasSubstr("message left behind"));
  EXPECT_THAT(logged_, HasSubstr("a***@x.test"));
  EXPECT_EQ(metrics_.value("mail_sidecar_ambiguous_total"), 1);
  gate.wake();
  loop_.poll();
  EXPECT_EQ(delivery_.under_way(), 0U);
}

TEST_F(DeliveryTest, ShowsItsMetricsBeforeTheFirstMessage) {
  EXPECT_THAT(metrics_.render(), HasSubstr("mail_sidecar_messages_total{result=\"accepted\"} 0\n"));
  EXPECT_THAT(metrics_.render(), HasSubstr("mail_sidecar_ambiguous_total 0\n"));
}

TEST_F(DeliveryTest, MeasuresTheTimeToTheAnswer) {
  net::Wakeup gate(loop_.executor());
  transport_.hold(gate, timer_);
  const auto answer = begin();
  loop_.poll();
  timer_.advance(seconds(3));
  gate.wake();
  loop_.poll();
  EXPECT_THAT(metrics_.render(), HasSubstr("mail_sidecar_delivery_duration_seconds_sum 3\n"));
}

}  // namespace
}  // namespace mailid::delivery
