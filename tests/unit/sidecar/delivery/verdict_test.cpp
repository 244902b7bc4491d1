#include "sidecar/delivery/verdict.hpp"

#include <gmock/gmock.h>

namespace mailid::delivery {
namespace {

using catalogue::Class;
using catalogue::Failure;
using catalogue::Reason;
using testing::HasSubstr;
using testing::StartsWith;

Refused relay_says(Reason reason, int code, std::string_view enhanced, std::string_view text) {
  return {reason, smtp::make_reply(code, enhanced, text), {}, {}};
}

std::string told(const Outcome& outcome, std::size_t recipients = 1) {
  return smtp::format(verdict_on(outcome, recipients).reply);
}

TEST(Verdict, PassesTheRelaysYesOnInItsWords) {
  const Accepted yes{smtp::make_reply(250, "2.6.0", "<1@x> Queued mail for delivery")};
  EXPECT_EQ(told(yes), "250 2.6.0 <1@x> Queued mail for delivery\r\n");
  EXPECT_EQ(verdict_on(yes, 1).ending, Ending::Accepted);
}

TEST(Verdict, GivesARelaysBareYesAnEnhancedCode) {
  EXPECT_EQ(told(Accepted{smtp::make_reply(250, "", "Ok")}), "250 2.0.0 Ok\r\n");
}

TEST(Verdict, PassesANoToTheMessageOnWordForWord) {
  const Refused no{Reason::MessageRejected, smtp::Reply{554, "5.6.0", {"bad content", "see policy"}}, {}, {}};
  EXPECT_EQ(told(no), "554-5.6.0 bad content\r\n554 5.6.0 see policy\r\n");
  EXPECT_EQ(verdict_on(no, 1).ending, Ending::Refused);
  EXPECT_EQ(told(relay_says(Reason::SenderRejected, 550, "", "no such sender")), "550 no such sender\r\n");
}

TEST(Verdict, NamesTheRecipientThatStoppedTheOthers) {
  auto no = relay_says(Reason::RecipientRejected, 550, "5.1.1", "User unknown");
  no.recipient = "bob@x.test";
  EXPECT_EQ(told(no, 2),
            "550-5.1.1 User unknown\r\n"
            "550 5.1.1 nothing was sent, because <bob@x.test> was refused\r\n");
  EXPECT_EQ(told(no, 1), "550 5.1.1 User unknown\r\n");
}

/// The provider's words to something that is not this message's fault, and the code that the app gets.
struct Quoted {
  Reason reason;
  int code;
  std::string_view enhanced;
  std::string_view expected;
};

constexpr Quoted kQuoted[] = {
    {Reason::NotAuthenticated, 530, "5.7.57", "451 4.7.57 NotAuthenticated: "},
    {Reason::LoginRejected, 535, "5.7.3", "451 4.7.3 LoginRejected: "},
    {Reason::LoginRejected, 535, "", "451 4.7.0 LoginRejected: "},
    {Reason::SmtpAuthDisabled, 535, "5.7.139", "451 4.7.139 SmtpAuthDisabled: "},
    {Reason::MailboxFull, 554, "5.2.2", "451 4.2.2 MailboxFull: "},
    {Reason::RelayDailyLimit, 550, "5.4.5", "451 4.4.5 RelayDailyLimit: "},
    {Reason::AccountBlocked, 550, "5.1.8", "451 4.1.8 AccountBlocked: "},
    {Reason::RelayCommandRejected, 500, "", "451 4.3.0 RelayCommandRejected: "},
    {Reason::RelayConnectionLimit, 432, "4.3.2", "451 4.3.2 RelayConnectionLimit: "},
    {Reason::RelayRateLimit, 421, "4.4.2", "451 4.4.2 RelayRateLimit: "},
    {Reason::RelayBusy, 421, "", "451 4.3.0 RelayBusy: "},
    {Reason::RelayBusy, 450, "4.2.1", "451 4.2.1 RelayBusy: "},
    {Reason::LoginThrottled, 454, "4.7.0", "451 4.7.0 LoginThrottled: "},
};

class QuotedVerdict : public testing::TestWithParam<Quoted> {};

TEST_P(QuotedVerdict, Is451WithTheRelaysWords) {
  const auto& row = GetParam();
  const auto outcome = relay_says(row.reason, row.code, row.enhanced, "what the relay said");
  EXPECT_THAT(told(outcome), StartsWith(std::string(row.expected)));
  EXPECT_THAT(told(outcome), HasSubstr(": " + std::to_string(row.code) + " "));
  EXPECT_THAT(told(outcome), HasSubstr("what the relay said"));
  EXPECT_EQ(verdict_on(outcome, 1).ending, Ending::Deferred);
}

INSTANTIATE_TEST_SUITE_P(All, QuotedVerdict, testing::ValuesIn(kQuoted));

TEST(Verdict, IsPermanentOnlyForTheMessage) {
  for (const auto& entry : catalogue::entries()) {
    const auto verdict = verdict_on(relay_says(entry.reason, 550, "5.0.0", "no"), 1);
    EXPECT_EQ(verdict.ending == Ending::Refused, entry.cls == Class::Message) << entry.code;
    EXPECT_EQ(verdict.reply.permanent(), entry.cls == Class::Message) << entry.code;
  }
}

TEST(Verdict, IsNeverPermanentForOurOwnTrouble) {
  for (const auto& entry : catalogue::entries()) {
    if (entry.cls == Class::Message) continue;
    const auto verdict = verdict_on(Failure{entry.reason, "somewhere"});
    EXPECT_TRUE(verdict.reply.transient()) << entry.code;
    EXPECT_THAT(verdict.reply.enhanced, StartsWith("4.")) << entry.code;
  }
}

TEST(Verdict, NeverEndsTheAppsConnection) {
  for (const auto& entry : catalogue::entries()) {
    EXPECT_NE(verdict_on(relay_says(entry.reason, 421, "4.3.2", "bye"), 1).reply.code, 421) << entry.code;
  }
}

TEST(Verdict, SaysThatNobodyKnows) {
  EXPECT_EQ(told(Unknown{"connection reset"}), "451 4.4.2 delivery state unknown\r\n");
  EXPECT_EQ(verdict_on(Unknown{}, 1).ending, Ending::Unknown);
}

TEST(Verdict, SaysWhyThereIsNoTokenAndWhatToDo) {
  const auto reply = verdict_on(Failure{Reason::TokenMissing, "identity billing"}).reply;
  EXPECT_THAT(smtp::format(reply),
              StartsWith("451 4.7.0 TokenMissing: The sidecar has no token yet: identity billing."));
}

TEST(Verdict, OnAFullDiskIs452) {
  EXPECT_THAT(smtp::format(verdict_on(Failure{Reason::DiskFull, ""}).reply), StartsWith("452 4.3.1 "));
}

TEST(Verdict, WithoutSmtputf8AtTheRelayIs550) {
  EXPECT_THAT(told(Refused{Reason::SmtpUtf8Missing, std::nullopt, "", ""}), StartsWith("550 5.6.7 "));
}

TEST(Verdict, FitsOneLineOfTheProtocolWhateverTheRelaySays) {
  const auto words = std::string(5000, 'x') + "\r\n250 Ok";
  const auto line = told(relay_says(Reason::LoginRejected, 535, "5.7.3", words));
  EXPECT_LE(line.size(), 512U);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

}  // namespace
}  // namespace mailid::delivery
