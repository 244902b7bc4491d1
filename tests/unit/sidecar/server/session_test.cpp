#include "sidecar/server/session.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/fake_handler.hpp"

namespace mailid::server {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

using Next = Session::Next;

/// A session whose messages the handler's fixed answer ends at once; say() gives all that came back.
class SessionTest : public testing::Test {
 protected:
  SessionTest() { handler_.size_limit = 100'000; }

  Session& session() {
    if (!session_) {
      session_.emplace(handler_, disk_, memory_, limits_);
      next_ = session_->greet();
      greeting_ = session_->take_output();
    }
    return *session_;
  }

  std::string say(std::string_view bytes) {
    next_ = session().feed(bytes);
    if (next_ == Next::Deliver) {
      next_ = session().begin_delivery();
      next_ = session().delivered(handled());
    }
    return session().take_output();
  }
  smtp::Reply handled() {
    if (const auto refusal = session().refusal()) return refusal->reply;
    handler_.messages.push_back({session().envelope(), fakes::octets_of(session().body())});
    return handler_.answer;
  }
  void hello() { ASSERT_THAT(say("EHLO app\r\n"), StartsWith("250-localhost\r\n")); }
  /// Up to 354.
  void begin_message() {
    hello();
    ASSERT_EQ(say("MAIL FROM:<billing@contoso.test>\r\n"), "250 2.1.0 OK\r\n");
    ASSERT_EQ(say("RCPT TO:<ann@fabrikam.test>\r\n"), "250 2.1.5 OK\r\n");
    ASSERT_EQ(say("DATA\r\n"), "354 End data with <CR><LF>.<CR><LF>\r\n");
  }
  /// A message that is with the handler and has no answer yet.
  void begin_delivery() {
    begin_message();
    ASSERT_EQ(session().feed("Hello\r\n.\r\n"), Next::Deliver);
    ASSERT_EQ(session().begin_delivery(), Next::Read);
  }
  bool closed() const { return next_ == Next::Close; }

  fakes::FakeHandler handler_;
  fakes::FakeDisk disk_;
  base::Budget memory_{1'000'000};
  Limits limits_;
  std::optional<Session> session_;
  std::string greeting_;
  Next next_ = Next::Read;
};

TEST_F(SessionTest, GreetsWithoutTellingWhereItIs) {
  session();
  EXPECT_EQ(greeting_, "220 localhost ESMTP\r\n");
}

TEST_F(SessionTest, OffersWhatItKeepsAndNothingElse) {
  EXPECT_EQ(say("EHLO app\r\n"),
            "250-localhost\r\n"
            "250-SIZE 100000\r\n"
            "250-8BITMIME\r\n"
            "250-SMTPUTF8\r\n"
            "250 ENHANCEDSTATUSCODES\r\n");
  EXPECT_EQ(say("HELO app\r\n"), "250 localhost\r\n");
}

TEST_F(SessionTest, TakesAMessage) {
  begin_message();
  EXPECT_EQ(say("Subject: hello\r\n\r\n..\r\n.\r\n"), "250 2.0.0 OK queued as 4711\r\n");
  ASSERT_EQ(handler_.messages.size(), 1U);
  EXPECT_EQ(handler_.messages[0].envelope.sender, "billing@contoso.test");
  EXPECT_THAT(handler_.messages[0].envelope.recipients, testing::ElementsAre("ann@fabrikam.test"));
  EXPECT_EQ(handler_.messages[0].octets, "Subject: hello\r\n\r\n.\r\n");
}

TEST_F(SessionTest, TakesOneMessageAfterTheOther) {
  for (int i = 0; i < 3; ++i) {
    begin_message();
    EXPECT_THAT(say("one\r\n.\r\n"), StartsWith("250 "));
  }
  EXPECT_EQ(handler_.messages.size(), 3U);
  EXPECT_EQ(say("QUIT\r\n"), "221 2.0.0 Bye\r\n");
  EXPECT_TRUE(closed());
}

TEST_F(SessionTest, PassesTheHandlersReplyOnWordForWord) {
  handler_.answer = {550, "5.7.60", {"SMTP; Client does not have permissions", "to send as this sender"}};
  begin_message();
  EXPECT_EQ(say("x\r\n.\r\n"),
            "550-5.7.60 SMTP; Client does not have permissions\r\n550 5.7.60 to send as this sender\r\n");
}

TEST_F(SessionTest, HandsParametersOn) {
  hello();
  say("MAIL FROM:<billing@contoso.test> SIZE=99 BODY=8BITMIME SMTPUTF8\r\n");
  say("RCPT TO:<j\u00fcrgen@fabrikam.test>\r\n");
  say("DATA\r\n");
  say(".\r\n");
  ASSERT_EQ(handler_.messages.size(), 1U);
  const auto& envelope = handler_.messages[0].envelope;
  EXPECT_TRUE(envelope.eight_bit);
  EXPECT_TRUE(envelope.smtputf8);
  EXPECT_EQ(envelope.declared_size, 99U);
  EXPECT_EQ(envelope.recipients[0], "j\u00fcrgen@fabrikam.test");
}

TEST_F(SessionTest, RefusesASenderThatTheHandlerDoesNotAllow) {
  hello();
  EXPECT_EQ(say("MAIL FROM:<ceo@contoso.test>\r\n"),
            "550 5.7.1 <ceo@contoso.test> is not a sender of identity billing\r\n");
  EXPECT_EQ(say("RCPT TO:<ann@fabrikam.test>\r\n"), "503 5.5.1 Say MAIL first\r\n");
}

TEST_F(SessionTest, WantsCommandsInTheirOrder) {
  EXPECT_EQ(say("MAIL FROM:<billing@contoso.test>\r\n"), "503 5.5.1 Say EHLO first\r\n");
  hello();
  EXPECT_EQ(say("RCPT TO:<ann@fabrikam.test>\r\n"), "503 5.5.1 Say MAIL first\r\n");
  EXPECT_EQ(say("DATA\r\n"), "503 5.5.1 Say MAIL first\r\n");
  say("MAIL FROM:<billing@contoso.test>\r\n");
  EXPECT_EQ(say("DATA\r\n"), "503 5.5.1 No valid recipients\r\n");
  EXPECT_THAT(say("MAIL FROM:<billing@contoso.test>\r\n"), StartsWith("503 5.5.1 "));
}

TEST_F(SessionTest, ForgetsTheTransactionAtRsetEhloAndHelo) {
  for (const auto* again : {"RSET\r\n", "EHLO app\r\n", "HELO app\r\n"}) {
    hello();
    say("MAIL FROM:<billing@contoso.test>\r\n");
    say("RCPT TO:<ann@fabrikam.test>\r\n");
    EXPECT_THAT(say(again), StartsWith("250"));
    EXPECT_EQ(say("DATA\r\n"), "503 5.5.1 Say MAIL first\r\n");
    EXPECT_FALSE(session().in_transaction());
  }
}

TEST_F(SessionTest, KeepsNothingOfARefusedMessageForTheNext) {
  begin_message();
  EXPECT_THAT(say("a\0b\r\n.\r\n"s), StartsWith("554 "));
  EXPECT_EQ(say("DATA\r\n"), "503 5.5.1 Say MAIL first\r\n");
  begin_message();
  EXPECT_THAT(say("clean\r\n.\r\n"), StartsWith("250 "));
  ASSERT_EQ(handler_.messages.size(), 1U);
  EXPECT_THAT(handler_.messages[0].envelope.recipients, testing::SizeIs(1));
  EXPECT_EQ(handler_.messages[0].octets, "clean\r\n");
}

TEST_F(SessionTest, AnswersTheSmallCommands) {
  EXPECT_EQ(say("NOOP\r\n"), "250 2.0.0 OK\r\n");
  EXPECT_EQ(say("NOOP ignored words\r\n"), "250 2.0.0 OK\r\n");
  EXPECT_EQ(say("VRFY ann\r\n"), "252 2.0.0 Send a message to find out\r\n");
  EXPECT_EQ(say("RSET\r\n"), "250 2.0.0 OK\r\n");
}

TEST_F(SessionTest, SaysWhichCommandsItDoesNotOfferAndWhichItDoesNotKnow) {
  for (const auto* line : {"STARTTLS\r\n", "BDAT 5 LAST\r\n", "EXPN x\r\n", "AUTH PLAIN AGEAYg==\r\n"}) {
    EXPECT_THAT(say(line), StartsWith("502 5.5.1 ")) << line;
  }
  for (const auto* line : {"FOO\r\n", "\r\n", "NOOP\x01\r\n"})
    EXPECT_THAT(say(line), StartsWith("500 5.5.2 ")) << line;
  for (const auto* line : {"EHLO\r\n", "HELO \r\n", "DATA now\r\n", "RSET x\r\n", "QUIT x\r\n"}) {
    EXPECT_THAT(say(line), StartsWith("501 5.5.4 ")) << line;
  }
}

// Limits.

TEST_F(SessionTest, RefusesAMessageThatSaysItIsTooLarge) {
  hello();
  EXPECT_EQ(say("MAIL FROM:<billing@contoso.test> SIZE=100001\r\n"),
            "552 5.3.4 Message larger than 100000 octets\r\n");
  EXPECT_THAT(say("MAIL FROM:<billing@contoso.test> SIZE=100000\r\n"), StartsWith("250 "));
}

TEST_F(SessionTest, RefusesAMessageThatIsTooLargeAndReadsItToItsEnd) {
  begin_message();
  for (int i = 0; i < 200; ++i) EXPECT_EQ(say(std::string(998, 'x') + "\r\n"), "");
  EXPECT_EQ(disk_.open, 0) << "what is refused must not be kept";
  EXPECT_EQ(say(".\r\n"), "552 5.3.4 Message larger than 100000 octets\r\n");
  EXPECT_TRUE(handler_.messages.empty());
}

TEST_F(SessionTest, TellsTheHandlerOfEveryMessageThatIsTurnedAwayAtMail) {
  hello();
  say("MAIL FROM:<ceo@contoso.test>\r\n");
  say("MAIL FROM:<billing@contoso.test> SIZE=100001\r\n");
  EXPECT_THAT(handler_.turned_away_with, testing::ElementsAre(StartsWith("SenderNotAllowed: 550 "),
                                                              StartsWith("MessageTooLarge: 552 ")));
}

TEST_F(SessionTest, TakesAMessageOfExactlyTheLimit) {
  begin_message();
  EXPECT_THAT(say(std::string(99'998, 'x') + "\r\n.\r\n"), StartsWith("250 "));
  begin_message();
  EXPECT_THAT(say(std::string(99'999, 'x') + "\r\n.\r\n"), StartsWith("552 "));
}

TEST_F(SessionTest, SaysSoWhereTheDiskIsFull) {
  disk_.room = 70'000;
  begin_message();
  EXPECT_EQ(say(std::string(80'000, 'x')), "");
  EXPECT_THAT(say("\r\n.\r\n"),
              StartsWith("452 4.3.1 The sidecar has no room to hold the message: fake disk."));
  disk_.room = 1'000'000;
  begin_message();
  EXPECT_THAT(say(std::string(80'000, 'x') + "\r\n.\r\n"), StartsWith("250 "));
}

TEST_F(SessionTest, RefusesNul) {
  begin_message();
  EXPECT_EQ(say("\0\r\n.\r\n"s), "554 5.6.0 The message holds NUL, which mail can't carry\r\n");
  EXPECT_FALSE(closed());
}

TEST_F(SessionTest, TellsOfTooManyRecipientsOneByOne) {
  hello();
  say("MAIL FROM:<billing@contoso.test>\r\n");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(say("RCPT TO:<ann@fabrikam.test>\r\n"), "250 2.1.5 OK\r\n");
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(say("RCPT TO:<ann@fabrikam.test>\r\n"),
              "452 4.5.3 More than 3 recipients; send the rest in another message\r\n");
  }
  EXPECT_EQ(say("RCPT TO:<ann@fabrikam.test>\r\n"), "421 4.7.0 Too many recipients\r\n");
  EXPECT_TRUE(closed());
}

TEST_F(SessionTest, StillSendsToTheRecipientsThatWereAccepted) {
  hello();
  say("MAIL FROM:<billing@contoso.test>\r\n");
  for (int i = 0; i < 5; ++i) say("RCPT TO:<ann@fabrikam.test>\r\n");
  say("DATA\r\n");
  EXPECT_THAT(say(".\r\n"), StartsWith("250 "));
  EXPECT_THAT(handler_.messages.at(0).envelope.recipients, testing::SizeIs(3));
}

TEST_F(SessionTest, TakesManyRecipientsOnlyWhileThereIsMemoryForThem) {
  handler_.recipients = 100'000;
  limits_.surplus_recipients = 100'000;
  hello();
  say("MAIL FROM:<billing@contoso.test>\r\n");
  std::string reply;
  int taken = 0;
  while ((reply = say("RCPT TO:<ann@fabrikam.test>\r\n")).starts_with("250 ")) ++taken;
  EXPECT_EQ(reply, "452 4.3.1 No memory for more recipients; try again\r\n");
  EXPECT_GT(taken, 10'000);
  say("RSET\r\n");
  EXPECT_EQ(memory_.left(), 1'000'000U);
}

TEST_F(SessionTest, ServesAFewRecipientsWithoutSharedMemory) {
  ASSERT_TRUE(memory_.take(memory_.left()));
  begin_message();
  EXPECT_THAT(say("Subject: a short one\r\n.\r\n"), StartsWith("250 "));
  EXPECT_EQ(disk_.created, 1) << "the body has no memory either";
}

TEST_F(SessionTest, DoesNotKeepALongLine) {
  hello();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(say(std::string(100'000, 'x')), "");
  EXPECT_EQ(say("\r\n"), "500 5.5.2 Line longer than 2048 octets\r\n");
  EXPECT_EQ(say("NOOP\r\n"), "250 2.0.0 OK\r\n");
}

TEST_F(SessionTest, EndsWithAClientThatOnlyMakesMistakes) {
  limits_.errors = 2;
  say("FOO\r\n");
  say("FOO\r\n");
  EXPECT_EQ(say("FOO\r\n"), "421 4.7.0 Too many errors\r\n");
  EXPECT_TRUE(closed());
}

TEST_F(SessionTest, ForgetsMistakesWithAnAcceptedMessage) {
  limits_.errors = 2;
  for (int i = 0; i < 5; ++i) {
    say("FOO\r\n");
    begin_message();
    EXPECT_THAT(say("x\r\n.\r\n"), StartsWith("250 "));
  }
}

TEST_F(SessionTest, EndsWithAClientThatNeverSendsMail) {
  limits_.idle_commands = 3;
  for (const auto* line : {"NOOP\r\n", "RSET\r\n", "EHLO app\r\n"})
    EXPECT_THAT(say(line), StartsWith("250")) << line;
  EXPECT_EQ(say("VRFY x\r\n"), "421 4.7.0 Too many commands without mail\r\n");
}

TEST_F(SessionTest, SaysWhyItEnds) {
  hello();
  EXPECT_EQ(session().time_out(), Next::Close);
  EXPECT_EQ(session().take_output(), "421 4.4.2 Waited too long for you\r\n");
  session_.reset();
  hello();
  EXPECT_EQ(session().shut_down(), Next::Close);
  EXPECT_EQ(session().take_output(), "421 4.3.2 The mail sidecar is shutting down\r\n");
}

// Input that comes too early.

TEST_F(SessionTest, CutsOffAClientThatDoesNotWaitForAReply) {
  for (const auto* early :
       {"EHLO app\r\nMAIL FROM:<billing@contoso.test>\r\n", "NOOP\r\nN", "RSET\r\n\r\n"}) {
    session_.reset();
    EXPECT_EQ(say(early), "554 5.5.0 Wait for the reply before you send on; there is no PIPELINING\r\n");
    EXPECT_TRUE(closed());
    EXPECT_TRUE(session().broke_synchrony());
  }
}

TEST_F(SessionTest, CutsOffAClientThatDoesNotWaitFor354) {
  hello();
  say("MAIL FROM:<billing@contoso.test>\r\n");
  say("RCPT TO:<ann@fabrikam.test>\r\n");
  EXPECT_THAT(say("DATA\r\nSubject: x\r\n"), StartsWith("554 5.5.0 "));
  EXPECT_TRUE(closed());
}

TEST_F(SessionTest, SendsNothingOfAMessageWithACommandBehindItsDot) {
  begin_message();
  EXPECT_THAT(say("one\r\n.\r\nMAIL FROM:<evil@contoso.test>\r\n"), StartsWith("554 5.5.0 "));
  EXPECT_TRUE(closed());
  EXPECT_TRUE(handler_.messages.empty());
}

TEST_F(SessionTest, SendsNothingWhereTheCommandIsFoundBeforeDeliveryBegins) {
  begin_message();
  ASSERT_EQ(session().feed("one\r\n.\r\n"), Next::Deliver);
  EXPECT_EQ(session().feed("MAIL FROM:<evil@contoso.test>\r\n"), Next::Close);
  EXPECT_THAT(session().take_output(), StartsWith("554 5.5.0 "));
}

TEST_F(SessionTest, TakesQuitBehindTheDot) {
  begin_message();
  EXPECT_EQ(say("x\r\n.\r\nquit\r\n"), "250 2.0.0 OK queued as 4711\r\n221 2.0.0 Bye\r\n");
  EXPECT_TRUE(closed());
  EXPECT_EQ(handler_.messages.size(), 1U);
}

TEST_F(SessionTest, TakesQuitInPiecesAroundTheDelivery) {
  begin_message();
  ASSERT_EQ(session().feed("x\r\n.\r\nQ"), Next::Deliver);
  ASSERT_EQ(session().feed("U"), Next::Read);
  ASSERT_EQ(session().begin_delivery(), Next::Read);
  ASSERT_EQ(session().feed("I"), Next::Read);
  EXPECT_EQ(session().delivered(handler_.answer), Next::Read);
  EXPECT_THAT(session().take_output(), StartsWith("250 "));
  EXPECT_EQ(say("T\r\n"), "221 2.0.0 Bye\r\n");
}

TEST_F(SessionTest, TellsTheTruthAboutAMessageBeforeItCutsOff) {
  begin_delivery();
  EXPECT_EQ(session().feed("MAIL FROM:<evil@contoso.test>\r\n"), Next::Wait);
  EXPECT_EQ(session().take_output(), "");
  EXPECT_EQ(session().delivered(handler_.answer), Next::Close);
  EXPECT_THAT(session().take_output(), MatchesRegex("250 2.0.0 .*\r\n554 5.5.0 .*\r\n"));
}

TEST_F(SessionTest, TakesNothingBehindQuit) {
  begin_delivery();
  EXPECT_EQ(session().feed("QUIT\r\nNOOP\r\n"), Next::Wait);
  EXPECT_EQ(session().feed(std::string(100'000, 'x')), Next::Wait);
  EXPECT_EQ(session().delivered(handler_.answer), Next::Close);
}

TEST_F(SessionTest, SendsBrowsersAndTlsClientsAway) {
  EXPECT_THAT(say("POST /submit HTTP/1.1\r\n"), StartsWith("554 5.5.1 "));
  EXPECT_TRUE(closed());
  session_.reset();
  EXPECT_THAT(say("\x16\x03\x01\x02"), StartsWith("554 5.5.2 "));
  EXPECT_TRUE(closed());
}

TEST_F(SessionTest, StaysClosed) {
  say("QUIT\r\n");
  EXPECT_EQ(say("NOOP\r\n"), "");
  EXPECT_TRUE(closed());
}

// AUTH, where an app insists.

class AuthTest : public SessionTest {
 protected:
  AuthTest() { limits_.accept_auth = true; }
};

TEST_F(AuthTest, IsOffered) {
  EXPECT_THAT(say("EHLO app\r\n"), HasSubstr("250 AUTH PLAIN LOGIN\r\n"));
}

TEST_F(AuthTest, TakesPlainInOneStepOrTwo) {
  hello();
  EXPECT_THAT(say("AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n"), StartsWith("235 2.7.0 "));
  session_.reset();
  hello();
  EXPECT_EQ(say("AUTH PLAIN\r\n"), "334 \r\n");
  EXPECT_THAT(say("AGpvZQBzZWNyZXQ=\r\n"), StartsWith("235 2.7.0 "));
  begin_message();
  EXPECT_THAT(say("x\r\n.\r\n"), StartsWith("250 "));
}

TEST_F(AuthTest, TakesLoginWithOrWithoutTheNameAtOnce) {
  for (const bool at_once : {true, false}) {
    session_.reset();
    hello();
    if (at_once) {
      EXPECT_EQ(say("auth login am9l\r\n"), "334 UGFzc3dvcmQ6\r\n");
    } else {
      EXPECT_EQ(say("AUTH LOGIN\r\n"), "334 VXNlcm5hbWU6\r\n");
      EXPECT_EQ(say("am9l\r\n"), "334 UGFzc3dvcmQ6\r\n");
    }
    EXPECT_THAT(say("c2VjcmV0\r\n"), StartsWith("235 2.7.0 "));
  }
}

TEST_F(AuthTest, CanBeGivenUp) {
  hello();
  say("AUTH LOGIN\r\n");
  EXPECT_EQ(say("*\r\n"), "501 5.7.0 AUTH given up\r\n");
  EXPECT_EQ(say("NOOP\r\n"), "250 2.0.0 OK\r\n");
}

TEST_F(AuthTest, TakesALongLineForAMistakeAndGoesOn) {
  hello();
  say("AUTH PLAIN\r\n");
  EXPECT_THAT(say(std::string(100'000, 'A') + "\r\n"), StartsWith("500 5.5.2 "));
  EXPECT_EQ(say("NOOP\r\n"), "250 2.0.0 OK\r\n");
}

TEST_F(AuthTest, RefusesWhatItCannotDo) {
  EXPECT_EQ(say("AUTH PLAIN AA==\r\n"), "503 5.5.1 Say EHLO first\r\n");
  hello();
  EXPECT_THAT(say("AUTH CRAM-MD5\r\n"), StartsWith("504 5.5.4 "));
  say("AUTH PLAIN AA==\r\n");
  EXPECT_THAT(say("AUTH PLAIN AA==\r\n"), StartsWith("503 5.5.1 "));
}

TEST_F(AuthTest, MayNotBePipelinedEither) {
  hello();
  EXPECT_THAT(say("AUTH LOGIN\r\nam9l\r\n"), StartsWith("554 5.5.0 "));
}

TEST_F(AuthTest, TakesAuthInMail) {
  hello();
  EXPECT_THAT(say("MAIL FROM:<billing@contoso.test> AUTH=<>\r\n"), StartsWith("250 "));
}

}  // namespace
}  // namespace mailid::server
