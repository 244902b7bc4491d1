#include "common/smtp/transaction_dialogue.hpp"

#include <gmock/gmock.h>

#include "tests/unit/common/smtp/pieces.hpp"

namespace mailid::smtp {
namespace {

using catalogue::Step;
using Connection = TransactionDialogue::Connection;
using Next = TransactionDialogue::Next;

TransactionRequest request(std::vector<std::string> recipients = {"a@example.test"}) {
  TransactionRequest made;
  made.sender = "billing@contoso.test";
  made.recipients = std::move(recipients);
  made.size = 1234;
  return made;
}

Capabilities pipelining() {
  Capabilities capabilities;
  capabilities.pipelining = true;
  return capabilities;
}

/// One dialogue, and what its driver would do.
struct Client {
  explicit Client(const Capabilities& capabilities, TransactionRequest made = request())
      : dialogue(capabilities, std::move(made)) {}

  /// What the client has to say now; then it is said.
  std::string says() {
    std::string said(dialogue.output());
    dialogue.output_written();
    return said;
  }
  Next hears(std::string_view lines) { return dialogue.feed(lines); }
  /// The body is out: goes on to the final reply.
  void sends_body() { dialogue.body_sent(); }

  TransactionDialogue dialogue;
};

/// A client whose body is out.
Client awaiting_the_final_reply() {
  Client client(pipelining());
  client.says();
  EXPECT_EQ(client.hears("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n"),
            Next::SendBody);
  client.sends_body();
  return client;
}

TEST(Transaction, PipelinesAllOfItForOneRecipient) {
  Client client(pipelining());
  EXPECT_EQ(client.says(), "MAIL FROM:<billing@contoso.test>\r\nRCPT TO:<a@example.test>\r\nDATA\r\n");
  EXPECT_EQ(client.hears("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n"),
            Next::SendBody);
  client.sends_body();
  EXPECT_EQ(client.dialogue.step(), Step::Dot);
  EXPECT_EQ(client.hears("250 2.0.0 Ok: queued as AFE488F59\r\n"), Next::Accepted);
  EXPECT_EQ(client.dialogue.accepted().text(), "Ok: queued as AFE488F59");
  EXPECT_EQ(client.dialogue.connection(), Connection::Clean);
}

TEST(Transaction, WaitsWithDataForEveryRecipient) {
  Client client(pipelining(), request({"a@example.test", "b@example.test"}));
  EXPECT_EQ(client.says(),
            "MAIL FROM:<billing@contoso.test>\r\nRCPT TO:<a@example.test>\r\nRCPT TO:<b@example.test>\r\n");
  EXPECT_EQ(client.hears("250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n"), Next::Read);
  EXPECT_EQ(client.says(), "");
  EXPECT_EQ(client.hears("250 2.1.5 Ok\r\n"), Next::Read);
  EXPECT_EQ(client.says(), "DATA\r\n");
  EXPECT_EQ(client.hears("354 go\r\n"), Next::SendBody);
}

TEST(Transaction, SpeaksOneCommandAtATimeWithoutPipelining) {
  Client client(Capabilities{});
  EXPECT_EQ(client.says(), "MAIL FROM:<billing@contoso.test>\r\n");
  client.hears("250 ok\r\n");
  EXPECT_EQ(client.says(), "RCPT TO:<a@example.test>\r\n");
  client.hears("251 will forward\r\n");
  EXPECT_EQ(client.says(), "DATA\r\n");
  EXPECT_EQ(client.hears("354 go\r\n"), Next::SendBody);
}

TEST(Transaction, DoesNotCareHowTheRepliesAreCut) {
  constexpr std::string_view kReplies = "250 2.1.0 Ok\r\n250-2.1.5 a\r\n250 2.1.5 Ok\r\n354 go\r\n";
  for (const auto& pieces : ways_to_cut(kReplies)) {
    Client client(pipelining());
    client.says();
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i) ASSERT_EQ(client.hears(pieces[i]), Next::Read);
    EXPECT_EQ(client.hears(pieces.back()), Next::SendBody);
  }
}

TEST(Transaction, TellsSizeAndBodyWhereTheyAreOffered) {
  TransactionRequest made = request();
  made.eight_bit = true;
  made.smtputf8 = true;
  EXPECT_EQ(Client(Capabilities{}, made).says(), "MAIL FROM:<billing@contoso.test> SMTPUTF8\r\n");
  Capabilities all;
  all.size = all.eight_bit_mime = all.smtputf8 = true;
  EXPECT_EQ(Client(all, made).says(),
            "MAIL FROM:<billing@contoso.test> SIZE=1234 BODY=8BITMIME SMTPUTF8\r\n");
  EXPECT_EQ(Client(all).says(), "MAIL FROM:<billing@contoso.test> SIZE=1234\r\n");
}

TEST(Transaction, ClearsAnUnfinishedOneFirst) {
  TransactionRequest made = request();
  made.reset_first = true;
  Client client(pipelining(), made);
  EXPECT_EQ(client.says(),
            "RSET\r\nMAIL FROM:<billing@contoso.test>\r\nRCPT TO:<a@example.test>\r\nDATA\r\n");
  EXPECT_EQ(client.hears("250 2.0.0 Ok\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n"), Next::SendBody);
}

TEST(Transaction, GivesUpTheConnectionWhereItCannotBeCleared) {
  TransactionRequest made = request();
  made.reset_first = true;
  Client client(pipelining(), made);
  EXPECT_EQ(client.hears("421 4.4.2 Connection timed out\r\n"), Next::Broken);
  EXPECT_EQ(client.dialogue.refusal(), std::nullopt);
  EXPECT_EQ(client.dialogue.connection(), Connection::MustClose);
}

TEST(Transaction, NamesTheRecipientThatWasRefused) {
  Client client(pipelining(), request({"a@example.test", "b@example.test", "c@example.test"}));
  EXPECT_EQ(client.hears("250 ok\r\n250 ok\r\n550 5.1.1 Nobody\r\n"), Next::Read);
  EXPECT_EQ(client.hears("250 ok\r\n"), Next::Refused);
  EXPECT_EQ(client.dialogue.refusal()->recipient, "b@example.test");
  EXPECT_EQ(client.dialogue.refusal()->step, Step::Rcpt);
  EXPECT_EQ(client.dialogue.refusal()->reply.text(), "Nobody");
  EXPECT_EQ(client.dialogue.connection(), Connection::NeedsReset);
}

TEST(Transaction, IsRefusedByTheFirstNo) {
  Client client(pipelining());
  EXPECT_EQ(client.hears("550 5.7.60 SendAsDenied\r\n503 5.5.1 need MAIL\r\n"), Next::Read);
  EXPECT_EQ(client.hears("503 5.5.1 need RCPT\r\n"), Next::Refused);
  EXPECT_EQ(client.dialogue.refusal()->step, Step::Mail);
  EXPECT_EQ(client.dialogue.refusal()->reply.enhanced, "5.7.60");
  EXPECT_EQ(client.dialogue.connection(), Connection::Clean);
}

TEST(Transaction, SendsNoDotWhereTheRelayWantsABodyInSpiteOfARefusal) {
  Client client(pipelining());
  EXPECT_EQ(client.hears("250 ok\r\n550 5.1.1 Nobody\r\n354 go\r\n"), Next::Refused);
  EXPECT_EQ(client.dialogue.refusal()->step, Step::Rcpt);
  EXPECT_EQ(client.dialogue.connection(), Connection::MustClose);
}

TEST(Transaction, IsRefusedAtData) {
  Client client(pipelining());
  EXPECT_EQ(client.hears("250 ok\r\n250 ok\r\n451 4.3.0 later\r\n"), Next::Refused);
  EXPECT_EQ(client.dialogue.refusal()->step, Step::Data);
  EXPECT_EQ(client.dialogue.connection(), Connection::NeedsReset);
}

TEST(Transaction, IsRefusedAtTheDot) {
  Client client = awaiting_the_final_reply();
  EXPECT_EQ(client.hears("554 5.2.252 SendAsDenied; billing not allowed to send as ceo\r\n"), Next::Refused);
  EXPECT_EQ(client.dialogue.refusal()->step, Step::Dot);
  EXPECT_EQ(client.dialogue.connection(), Connection::Clean);
}

TEST(Transaction, EndsWith421WhereverItComes) {
  Client at_mail(pipelining());
  EXPECT_EQ(at_mail.hears("421 4.3.2 Service not active\r\n"), Next::Refused);
  EXPECT_EQ(at_mail.dialogue.connection(), Connection::MustClose);
  Client at_dot = awaiting_the_final_reply();
  EXPECT_EQ(at_dot.hears("421 4.3.2 Service not active\r\n"), Next::Refused);
  EXPECT_EQ(at_dot.dialogue.connection(), Connection::MustClose);
}

TEST(Transaction, KnowsTheRefusalEvenIfTheConnectionBreaksBehindIt) {
  Client client(pipelining());
  EXPECT_EQ(client.hears("250 ok\r\n550 5.1.1 Nobody\r\n"), Next::Read);
  ASSERT_NE(client.dialogue.refusal(), std::nullopt);
  EXPECT_EQ(client.dialogue.connection(), Connection::MustClose);
  EXPECT_EQ(client.hears("rubbish\r\n"), Next::Refused);
}

TEST(Transaction, IsRefusedWhileItStillSendsTheBody) {
  Client client(pipelining());
  ASSERT_EQ(client.hears("250 ok\r\n250 ok\r\n354 go\r\n"), Next::SendBody);
  EXPECT_EQ(client.dialogue.step(), Step::Dot);
  EXPECT_EQ(client.hears("552 5.3.4 too large\r\n"), Next::Refused);
  EXPECT_EQ(client.dialogue.refusal()->step, Step::Dot);
  EXPECT_EQ(client.dialogue.connection(), Connection::MustClose);
}

TEST(Transaction, BelievesNoAcceptanceOfABodyThatWasNotSent) {
  Client client(pipelining());
  EXPECT_EQ(client.hears("250 ok\r\n250 ok\r\n354 go\r\n250 2.0.0 queued\r\n"), Next::Broken);
  EXPECT_EQ(client.dialogue.connection(), Connection::MustClose);
}

TEST(Transaction, ClosesAConnectionThatSaysMoreThanItWasAsked) {
  Client client = awaiting_the_final_reply();
  EXPECT_EQ(client.hears("250 2.0.0 queued\r\n250 2.1.0 for the next one\r\n"), Next::Accepted);
  EXPECT_EQ(client.dialogue.connection(), Connection::MustClose);
}

TEST(Transaction, IsBrokenByWhatIsNoAnswerToTheCommand) {
  for (const auto* answer : {"354 already\r\n", "nonsense\r\n", "250-x\r\n251 y\r\n"}) {
    EXPECT_EQ(Client(Capabilities{}).hears(answer), Next::Broken) << answer;
  }
  Client at_data(pipelining());
  EXPECT_EQ(at_data.hears("250 ok\r\n250 ok\r\n250 ok\r\n"), Next::Broken);
}

TEST(Transaction, SendsManyRecipientsInGroupsThatNeitherSideChokesOn) {
  Client client(pipelining(), request(std::vector<std::string>(250, "a@example.test")));
  std::size_t commands = 0;
  while (true) {
    const auto said = client.says();
    const auto group = static_cast<std::size_t>(std::count(said.begin(), said.end(), '\n'));
    if (said == "DATA\r\n") break;
    ASSERT_GT(group, 0U);
    ASSERT_LE(group, TransactionDialogue::kGroup);
    commands += group;
    for (std::size_t i = 0; i < group; ++i) client.hears("250 ok\r\n");
  }
  EXPECT_EQ(commands, 251U);
}

TEST(Transaction, AsksNoFurtherRecipientAfterAGroupWithARefusal) {
  Client client(pipelining(), request(std::vector<std::string>(250, "a@example.test")));
  client.says();
  std::string replies = "250 ok\r\n452 4.5.3 Too many recipients\r\n";
  for (std::size_t i = 2; i < TransactionDialogue::kGroup; ++i) replies += "250 ok\r\n";
  EXPECT_EQ(client.hears(replies), Next::Refused);
  EXPECT_EQ(client.says(), "");
}

}  // namespace
}  // namespace mailid::smtp
