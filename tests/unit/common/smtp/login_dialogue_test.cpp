#include "common/smtp/login_dialogue.hpp"

#include <gmock/gmock.h>

#include "common/smtp/sasl.hpp"
#include "tests/unit/common/smtp/pieces.hpp"

namespace mailid::smtp {
namespace {

using catalogue::Reason;
using catalogue::Step;
using contract::Mechanism;
using testing::HasSubstr;
using testing::Not;
using Next = LoginDialogue::Next;

constexpr std::string_view kToken =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL291dGxvb2sifQ.c2ln";

LoginRequest request(Mechanism mechanism = Mechanism::XOAuth2) {
  LoginRequest made;
  made.host = "smtp.contoso.test";
  made.mechanism = mechanism;
  made.mailbox = "billing@contoso.test";
  made.token = std::make_shared<const base::Secret>(kToken);
  return made;
}

std::string response(Mechanism mechanism = Mechanism::XOAuth2) {
  return std::string(
      initial_response(mechanism, "billing@contoso.test", "smtp.contoso.test", 587, *request().token)
          ->reveal());
}

constexpr std::string_view kPostfixClear =
    "S: 220 up.test ESMTP Postfix\n"
    "C: EHLO [127.0.0.1]\n"
    "S: 250-up.test\nS: 250-PIPELINING\nS: 250-SIZE 52428800\nS: 250-VRFY\nS: 250-ETRN\nS: 250-STARTTLS\n"
    "S: 250-ENHANCEDSTATUSCODES\nS: 250-8BITMIME\nS: 250-DSN\nS: 250-SMTPUTF8\nS: 250 CHUNKING\n"
    "C: STARTTLS\n"
    "S: 220 2.0.0 Ready to start TLS\n"
    "TLS\n";
constexpr std::string_view kPostfixTls =
    "C: EHLO [127.0.0.1]\n"
    "S: 250-up.test\nS: 250-PIPELINING\nS: 250-SIZE 52428800\nS: 250-VRFY\nS: 250-ETRN\n"
    "S: 250-AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER\nS: 250-ENHANCEDSTATUSCODES\nS: 250-8BITMIME\nS: 250-DSN\n"
    "S: 250-SMTPUTF8\nS: 250 CHUNKING\n";
constexpr std::string_view kExchange =
    "S: 220 FR4P281CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready at Mon, 24 Nov 2025\n"
    "C: EHLO [127.0.0.1]\n"
    "S: 250-FR4P281CA0001.outlook.office365.com Hello [203.0.113.7]\nS: 250-SIZE 157286400\nS: "
    "250-PIPELINING\n"
    "S: 250-DSN\nS: 250-ENHANCEDSTATUSCODES\nS: 250-STARTTLS\nS: 250-8BITMIME\nS: 250-BINARYMIME\n"
    "S: 250-CHUNKING\nS: 250 SMTPUTF8\n"
    "C: STARTTLS\n"
    "S: 220 2.0.0 SMTP server ready\n"
    "TLS\n"
    "C: EHLO [127.0.0.1]\n"
    "S: 250-FR4P281CA0001.outlook.office365.com Hello [203.0.113.7]\nS: 250-SIZE 157286400\nS: "
    "250-PIPELINING\n"
    "S: 250-DSN\nS: 250-ENHANCEDSTATUSCODES\nS: 250-AUTH LOGIN XOAUTH2\nS: 250-8BITMIME\nS: 250-BINARYMIME\n"
    "S: 250-CHUNKING\nS: 250 SMTPUTF8\n"
    "C: AUTH XOAUTH2\n"
    "S: 334 \n";
constexpr std::string_view kGoogle =
    "S: 220 smtp.gmail.com ESMTP 5b1f17b1804b1-4779c3f1f4csm12345678 - gsmtp\n"
    "C: EHLO [127.0.0.1]\n"
    "S: 250-smtp.gmail.com at your service, [203.0.113.7]\nS: 250-SIZE 35882577\nS: 250-8BITMIME\n"
    "S: 250-STARTTLS\nS: 250-ENHANCEDSTATUSCODES\nS: 250-PIPELINING\nS: 250-CHUNKING\nS: 250 SMTPUTF8\n"
    "C: STARTTLS\n"
    "S: 220 2.0.0 Ready to start TLS\n"
    "TLS\n"
    "C: EHLO [127.0.0.1]\n"
    "S: 250-smtp.gmail.com at your service, [203.0.113.7]\nS: 250-SIZE 35882577\nS: 250-8BITMIME\n"
    "S: 250-AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH\nS: 250-ENHANCEDSTATUSCODES\n"
    "S: 250-PIPELINING\nS: 250-CHUNKING\nS: 250 SMTPUTF8\n"
    "C: AUTH XOAUTH2\n"
    "S: 334 \n";

/// Plays a written dialogue: `S:` is fed, `C:` must be what the client says, `TLS` is a handshake that works.
class Play {
 public:
  explicit Play(LoginDialogue& dialogue) : dialogue_(&dialogue) {}

  Next lines(std::string_view script, std::size_t way = 0) {
    for (; !script.empty(); script.remove_prefix(script.find('\n') + 1)) {
      const auto line = script.substr(0, script.find('\n'));
      if (line.starts_with("S: ")) from_server_.append(line.substr(3)).append("\r\n");
      if (line.starts_with("S: ") && (line.size() < 7 || line[6] == ' ')) serve(way);
      if (line == "TLS") {
        EXPECT_EQ(next_, Next::StartTls);
        next_ = dialogue_->tls_started();
      }
      if (line.starts_with("C: ")) {
        EXPECT_EQ(next_, Next::Read) << line;
        EXPECT_EQ(dialogue_->output(), std::string(line.substr(3)) + "\r\n");
      }
    }
    return next_;
  }

 private:
  void serve(std::size_t way) {
    const auto pieces = ways_to_cut(from_server_)[way];
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      next_ = dialogue_->feed(pieces[i]);
      if (i + 1 < pieces.size()) {
        EXPECT_EQ(next_, Next::Read);
        EXPECT_EQ(dialogue_->output(), "");
      }
    }
    from_server_.clear();
  }

  LoginDialogue* dialogue_;
  std::string from_server_;
  Next next_ = Next::Read;
};

Next play(LoginDialogue& dialogue, const std::string& script) {
  return Play(dialogue).lines(script);
}

/// The failure that a dialogue ends with.
LoginFailure failure_of(const std::string& script, Mechanism mechanism = Mechanism::XOAuth2) {
  LoginDialogue dialogue(request(mechanism));
  EXPECT_EQ(play(dialogue, script), Next::Failed);
  return dialogue.failure();
}

std::string line(char who, const std::string& text) {
  return std::string(1, who) + ": " + text + "\n";
}

TEST(LoginDialogue, LogsInToPostfixHoweverTheBytesAreCut) {
  const auto script = std::string(kPostfixClear) + std::string(kPostfixTls) + "C: AUTH XOAUTH2\nS: 334 \n" +
                      line('C', response()) + "S: 235 2.7.0 Authentication successful\n";
  for (std::size_t way = 0; way < 32; ++way) {
    LoginDialogue dialogue(request());
    EXPECT_EQ(Play(dialogue).lines(script, way), Next::LoggedIn);
    EXPECT_TRUE(dialogue.capabilities().pipelining);
    EXPECT_EQ(dialogue.output(), "");
  }
}

TEST(LoginDialogue, LogsInToExchange) {
  LoginDialogue dialogue(request());
  EXPECT_EQ(play(dialogue,
                 std::string(kExchange) + line('C', response()) + "S: 235 2.7.0 Authentication successful\n"),
            Next::LoggedIn);
}

TEST(LoginDialogue, LogsInToGoogle) {
  LoginDialogue dialogue(request());
  EXPECT_EQ(play(dialogue, std::string(kGoogle) + line('C', response()) + "S: 235 2.7.0 Accepted\n"),
            Next::LoggedIn);
}

TEST(LoginDialogue, LogsInWithOauthbearer) {
  LoginDialogue dialogue(request(Mechanism::OAuthBearer));
  EXPECT_EQ(play(dialogue, std::string(kPostfixClear) + std::string(kPostfixTls) +
                               "C: AUTH OAUTHBEARER\nS: 334 \n" +
                               line('C', response(Mechanism::OAuthBearer)) + "S: 235 2.7.0 ok\n"),
            Next::LoggedIn);
}

TEST(LoginDialogue, FailsWhereExchangeRejectsTheTokenAtOnce) {
  const auto failure =
      failure_of(std::string(kExchange) + line('C', response()) +
                 "S: 535 5.7.3 Authentication unsuccessful [FR4P281CA0001.DEUP281.PROD.OUTLOOK.COM]\n");
  EXPECT_EQ(failure.failure.reason, Reason::LoginRejected);
  EXPECT_EQ(failure.step, Step::Auth);
  EXPECT_EQ(failure.reply->enhanced, "5.7.3");
  EXPECT_EQ(failure.failure.context,
            "smtp.contoso.test: answered AUTH with 535 5.7.3 Authentication unsuccessful "
            "[FR4P281CA0001.DEUP281.PROD.OUTLOOK.COM]");
}

TEST(LoginDialogue, AnswersGooglesErrorWithAnEmptyLine) {
  const auto failure = failure_of(
      std::string(kGoogle) + line('C', response()) +
      "S: 334 "
      "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIG1hYyIsInNjb3BlIjoiaHR0cHM6Ly9tYWlsLmdvb2dsZS5jb20vIn0=\n"
      "C: \n"
      "S: 535-5.7.8 Username and Password not accepted. For more information, go to\n"
      "S: 535 5.7.8  https://support.google.com/mail/?p=BadCredentials - gsmtp\n");
  EXPECT_EQ(failure.failure.reason, Reason::LoginRejected);
  EXPECT_EQ(failure.reply->enhanced, "5.7.8");
}

TEST(LoginDialogue, AnswersTheErrorOfOauthbearerWithAqIsIs) {
  const auto failure =
      failure_of(std::string(kPostfixClear) + std::string(kPostfixTls) + "C: AUTH OAUTHBEARER\nS: 334 \n" +
                     line('C', response(Mechanism::OAuthBearer)) +
                     "S: 334 eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\nC: AQ==\n"
                     "S: 535 5.7.8 Error: authentication failed: (reason unavailable)\n",
                 Mechanism::OAuthBearer);
  EXPECT_EQ(failure.failure.reason, Reason::LoginRejected);
}

TEST(LoginDialogue, TellsAServerThatCannotCheckFromABadToken) {
  const auto failure =
      failure_of(std::string(kPostfixClear) + std::string(kPostfixTls) + "C: AUTH XOAUTH2\nS: 334 \n" +
                 line('C', response()) +
                 "S: 454 4.7.0 Temporary authentication failure: Connection lost to authentication server\n");
  EXPECT_EQ(failure.failure.reason, Reason::LoginUnavailable);
}

TEST(LoginDialogue, SendsNoCredentialWithoutStarttls) {
  LoginDialogue dialogue(request());
  EXPECT_EQ(play(dialogue, "S: 220 up.test\nC: EHLO [127.0.0.1]\nS: 250-up.test\nS: 250 AUTH XOAUTH2\n"),
            Next::Failed);
  EXPECT_EQ(dialogue.failure().failure.reason, Reason::StartTlsMissing);
  EXPECT_EQ(dialogue.output(), "");
}

TEST(LoginDialogue, SendsNoCredentialWhereStarttlsIsRefused) {
  const std::string script = "S: 220 up.test\nS: 250-up.test\nS: 250 STARTTLS\nC: STARTTLS\n";
  EXPECT_EQ(failure_of(script + "S: 454 4.7.0 TLS not available\n").failure.reason, Reason::RelayBusy);
  EXPECT_EQ(failure_of(script + "S: 502 5.5.1 no\n").failure.reason, Reason::StartTlsMissing);
  EXPECT_EQ(failure_of(script + "S: 250 fine\n").failure.reason, Reason::RelayProtocolError);
}

TEST(LoginDialogue, TakesAnyOctetBehindStarttlsForAnAttack) {
  for (const auto* injected : {"2", "\r\n", "250-AUTH LOGIN\r\n", "235 ok\r\n", "\x16\x03\x01"}) {
    LoginDialogue dialogue(request());
    play(dialogue, "S: 220 up.test\nS: 250-up.test\nS: 250 STARTTLS\n");
    EXPECT_EQ(dialogue.feed("220 2.0.0 Ready\r\n" + std::string(injected)), Next::Failed);
    EXPECT_EQ(dialogue.failure().failure.reason, Reason::StartTlsInjection);
  }
}

TEST(LoginDialogue, TakesOctetsInsteadOfTheHandshakeForAnAttack) {
  LoginDialogue dialogue(request());
  ASSERT_EQ(play(dialogue, "S: 220 up.test\nS: 250-up.test\nS: 250 STARTTLS\nS: 220 go\n"), Next::StartTls);
  EXPECT_EQ(dialogue.feed("250 "), Next::Failed);
  EXPECT_EQ(dialogue.failure().failure.reason, Reason::StartTlsInjection);
}

TEST(LoginDialogue, ForgetsWhatWasOfferedBeforeTls) {
  const auto failure = failure_of(
      "S: 220 up.test\nS: 250-up.test\nS: 250-AUTH XOAUTH2\nS: 250 STARTTLS\nS: 220 go\nTLS\n"
      "C: EHLO [127.0.0.1]\nS: 250-up.test\nS: 250 AUTH PLAIN LOGIN\n");
  EXPECT_EQ(failure.failure.reason, Reason::MechanismMissing);
  EXPECT_EQ(failure.failure.context, "smtp.contoso.test: XOAUTH2 is needed and offered is PLAIN LOGIN");
}

TEST(LoginDialogue, TriesNoOtherMechanism) {
  const auto failure = failure_of(
      "S: 220 up.test\nS: 250-up.test\nS: 250 STARTTLS\nS: 220 go\nTLS\nS: 250-up.test\nS: 250 AUTH "
      "XOAUTH2\n",
      Mechanism::OAuthBearer);
  EXPECT_EQ(failure.failure.reason, Reason::MechanismMissing);
}

TEST(LoginDialogue, TakesNoReplyThatItDidNotAskFor) {
  LoginDialogue dialogue(request());
  EXPECT_EQ(dialogue.feed("220 up.test\r\n250 up.test\r\n"), Next::Failed);
  EXPECT_EQ(dialogue.failure().failure.reason, Reason::RelayProtocolError);
}

TEST(LoginDialogue, ReportsARefusalEvenIfMoreComesBehindIt) {
  LoginDialogue dialogue(request());
  EXPECT_EQ(dialogue.feed("554 5.7.1 Go away\r\n421 bye\r\n"), Next::Failed);
  EXPECT_EQ(dialogue.failure().failure.reason, Reason::RelayCommandRejected);
  EXPECT_EQ(dialogue.failure().reply->code, 554);
  EXPECT_EQ(dialogue.failure().step, Step::Greeting);
}

TEST(LoginDialogue, TakesNothingButA235ForALogin) {
  const std::string before =
      "S: 220 x\nS: 250-x\nS: 250 STARTTLS\nS: 220 x\nTLS\nS: 250-x\nS: 250 AUTH XOAUTH2\n";
  EXPECT_EQ(failure_of(before + "S: 235 2.7.0 without a token\n").failure.reason, Reason::RelayProtocolError);
  EXPECT_EQ(failure_of(before + "S: 334 \nS: 250 ok\n").failure.reason, Reason::RelayProtocolError);
  EXPECT_EQ(failure_of(before + "S: 334 \nS: 334 e30=\nS: 235 after all\n").failure.reason,
            Reason::RelayProtocolError);
  EXPECT_EQ(failure_of(before + "S: 334 \nS: 334 e30=\nS: 334 again\n").failure.reason,
            Reason::RelayProtocolError);
}

TEST(LoginDialogue, FailsWhereTheAnswerIsNotSmtp) {
  LoginDialogue dialogue(request());
  EXPECT_EQ(dialogue.feed("SSH-2.0-OpenSSH_9.2p1\r\n"), Next::Failed);
  EXPECT_EQ(dialogue.failure().failure.reason, Reason::RelayProtocolError);
}

TEST(LoginDialogue, QuotesNothingOfTheTokenThatAServerSendsBack) {
  const auto failure = failure_of(
      "S: 220 x\nS: 250-x\nS: 250 STARTTLS\nS: 220 x\nTLS\nS: 250-x\nS: 250 AUTH XOAUTH2\nS: 334 \n" +
      line('S', "500 Error: command \"" + response() + "\" not recognized, token " + std::string(kToken)));
  EXPECT_EQ(failure.reply->text(), "Error: command \"***\" not recognized, token ***");
  EXPECT_THAT(failure.failure.context, Not(HasSubstr(response().substr(0, 16))));
}

TEST(LoginDialogue, SendsNothingOfATokenThatWouldBreakTheMessage) {
  LoginRequest broken = request();
  broken.token = std::make_shared<const base::Secret>("abc\r\nRSET");
  LoginDialogue dialogue(broken);
  const auto next =
      play(dialogue,
           "S: 220 x\nS: 250-x\nS: 250 STARTTLS\nS: 220 x\nTLS\nS: 250-x\nS: 250 AUTH XOAUTH2\nS: 334 \n");
  EXPECT_EQ(next, Next::Failed);
  EXPECT_EQ(dialogue.output(), "");
  EXPECT_EQ(dialogue.failure().failure.reason, Reason::TokenMissing);
}

}  // namespace
}  // namespace mailid::smtp
