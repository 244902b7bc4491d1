// Sessions under random input: against a model of what must come back, in random pieces, and from random octets.
#include <array>
#include <gmock/gmock.h>
#include <random>

#include "sidecar/server/session.hpp"
#include "tests/fakes/fake_handler.hpp"

namespace mailid::server {
namespace {

using namespace std::string_literals;
using Next = Session::Next;

/// A session that delivers at once, with all that it wrote.
class Driven {
 public:
  explicit Driven(Limits limits) : limits_(limits) {
    session_.greet();
    session_.take_output();
  }

  void feed(std::string_view bytes) {
    auto next = session_.feed(bytes);
    if (next == Next::Deliver) {
      session_.begin_delivery();
      const auto refusal = session_.refusal();
      if (!refusal) handler_.messages.push_back({session_.envelope(), fakes::octets_of(session_.body())});
      next = session_.delivered(refusal ? refusal->reply : handler_.answer);
    }
    closed_ = next == Next::Close;
  }
  std::string take_output() { return session_.take_output(); }
  const std::vector<fakes::FakeHandler::Message>& messages() const { return handler_.messages; }
  bool closed() const { return closed_; }

 private:
  Limits limits_;
  fakes::FakeHandler handler_;
  fakes::FakeDisk disk_;
  base::Budget memory_{1'000'000};
  Session session_{handler_, disk_, memory_, limits_};
  bool closed_ = false;
};

Limits patient() {
  Limits limits;
  limits.errors = limits.idle_commands = limits.surplus_recipients = 1'000'000;
  limits.accept_auth = true;
  return limits;
}

/// What RFC 5321 and the design make of a sequence of commands, in a few lines.
class Model {
 public:
  int code_of(std::string_view line) {
    if (line.starts_with("EHLO")) {
      greeted_ = true;
      reset();
      return 250;
    }
    if (line.starts_with("RSET")) {
      reset();
      return 250;
    }
    if (line.starts_with("MAIL FROM:<ceo@")) return greeted_ && !mail_ ? 550 : 503;
    if (line.starts_with("MAIL FROM:<>") || line.starts_with("MAIL FROM:<billing@")) {
      if (!greeted_ || mail_) return 503;
      mail_ = true;
      return 250;
    }
    if (line.starts_with("MAIL")) return greeted_ && !mail_ ? 501 : 503;
    if (line.starts_with("RCPT TO:<ann@")) {
      if (!mail_) return 503;
      if (recipients_ == kRecipientLimit) return 452;
      ++recipients_;
      return 250;
    }
    if (line.starts_with("RCPT")) return mail_ ? 501 : 503;
    if (line.starts_with("DATA")) return mail_ && recipients_ > 0 ? 354 : 503;
    if (line.starts_with("NOOP")) return 250;
    return 500;
  }
  int code_of_message(bool nul) {
    reset();
    return nul ? 554 : 250;
  }
  std::size_t recipients() const { return recipients_; }

 private:
  static constexpr std::size_t kRecipientLimit = 3;

  void reset() {
    mail_ = false;
    recipients_ = 0;
  }

  bool greeted_ = false;
  bool mail_ = false;
  std::size_t recipients_ = 0;
};

constexpr std::array kLines = {
    "EHLO app\r\n",
    "MAIL FROM:<billing@contoso.test>\r\n",
    "MAIL FROM:<billing@contoso.test> SIZE=5\r\n",
    "MAIL FROM:<>\r\n",
    "MAIL FROM:<ceo@contoso.test>\r\n",
    "MAIL FROM:<broken\r\n",
    "RCPT TO:<>\r\n",
    "RCPT TO:<ann@fabrikam.test>\r\n",
    "RCPT TO:<ann@fabrikam.test>\r\n",
    "DATA\r\n",
    "DATA\r\n",
    "RSET\r\n",
    "NOOP\r\n",
    "FOO\r\n",
};

int code(std::string_view reply) {
  return reply.size() < 4 ? 0 : std::stoi(std::string(reply.substr(0, 3)));
}

TEST(RandomSession, AnswersEverySequenceOfCommandsAsTheModelDoes) {
  std::mt19937 random(5321);
  for (int round = 0; round < 3000; ++round) {
    Driven session(patient());
    Model model;
    std::size_t delivered = 0;
    std::string so_far;
    for (int step = 0; step < 25; ++step) {
      const auto* line = kLines.at(random() % kLines.size());
      so_far += line;
      session.feed(line);
      const auto expected = model.code_of(line);
      ASSERT_EQ(code(session.take_output()), expected) << so_far;
      if (expected != 354) continue;

      const bool nul = random() % 4 == 0;
      const auto recipients = model.recipients();
      session.feed(nul ? "a\0\r\n.\r\n"s : "hello\r\n.\r\n"s);
      ASSERT_EQ(code(session.take_output()), model.code_of_message(nul)) << so_far;
      delivered += nul ? 0 : 1;
      ASSERT_EQ(session.messages().size(), delivered) << so_far;
      if (!nul) {
        ASSERT_EQ(session.messages().back().envelope.recipients.size(), recipients) << so_far;
        ASSERT_EQ(session.messages().back().octets, "hello\r\n") << so_far;
      }
    }
  }
}

/// What a client says, up to the next reply that it waits for.
const std::vector<std::string> kDialogue = {
    "EHLO app\r\n",
    "AUTH LOGIN\r\n",
    "am9l\r\n",
    "c2VjcmV0\r\n",
    "MAIL FROM:<\"a b\"@contoso.test> SIZE=10 BODY=8BITMIME\r\n",
    "RCPT TO:<ann@fabrikam.test>\r\n",
    "RCPT TO:<>\r\n",
    std::string(3000, 'x') + "\r\n",
    "\r\n",
    "DATA\r\n",
    "Subject: x\r\n\r\n..dot\r\n.\nbare\rcr\r\r\n\n.\n.\r\r\n" + std::string(70'000, 'y') + "\r\n.\r\n",
    "NOOP\n",
    "MAIL FROM:<billing@contoso.test>\r\n",
    "RCPT TO:<ann@fabrikam.test>\r\n",
    "DATA\r\n",
    "nul \0 nul\r\n.\r\n"s,
    "GET / HTTP/1.1\r\n",
};

template <class Lengths>
std::string transcript(Lengths next_length) {
  Driven session(patient());
  std::string all;
  for (const auto& said : kDialogue) {
    for (std::string_view rest = said; !rest.empty();) {
      const auto piece = rest.substr(0, next_length());
      rest.remove_prefix(piece.size());
      session.feed(piece);
    }
    all += session.take_output();
  }
  for (const auto& message : session.messages()) all += message.envelope.sender + message.octets;
  EXPECT_TRUE(session.closed());
  return all;
}

TEST(RandomSession, SaysTheSameInWhateverPiecesTheClientSends) {
  const auto whole = transcript([] { return std::string_view::npos; });
  EXPECT_THAT(whole, testing::HasSubstr("235 "));
  EXPECT_THAT(whole, testing::HasSubstr("554 5.6.0 "));
  EXPECT_EQ(transcript([] { return 1; }), whole);
  std::mt19937 random(2920);
  for (int round = 0; round < 100; ++round) {
    const auto longest = 1 + random() % 5000;
    ASSERT_EQ(transcript([&] { return 1 + random() % longest; }), whole);
  }
}

/// Every line `code, space or dash, text`, nothing else.
bool is_replies(std::string_view output) {
  while (!output.empty()) {
    const auto end = output.find("\r\n");
    if (end == std::string_view::npos || end < 4) return false;
    const auto line = output.substr(0, end);
    if (line[0] < '2' || line[0] > '5' || (line[3] != ' ' && line[3] != '-')) return false;
    for (const char c : line) {
      if (static_cast<unsigned char>(c) < 0x20) return false;
    }
    output.remove_prefix(end + 2);
  }
  return true;
}

TEST(RandomSession, SurvivesRandomOctetsAndAnswersInWholeReplies) {
  const std::vector<std::string> words = {"EHLO a\r\n",
                                          "MAIL FROM:<",
                                          "RCPT TO:<",
                                          "a@b.test",
                                          ">",
                                          "\r\n",
                                          "\n",
                                          "\r",
                                          ".",
                                          "DATA\r\n",
                                          "QUIT\r\n",
                                          "AUTH PLAIN",
                                          "AUTH LOGIN\r\n",
                                          "*",
                                          " SIZE=",
                                          "9",
                                          " SMTPUTF8",
                                          "\0"s,
                                          "\xc3\xbc",
                                          "\"",
                                          "\\",
                                          std::string(900, 'z'),
                                          "RSET\r\n",
                                          "\r\n.\r\n",
                                          " HTTP/1.1",
                                          "\x16\x03"};
  std::mt19937 random(1);
  std::size_t messages = 0;
  for (int round = 0; round < 20'000; ++round) {
    Driven session(round % 2 == 0 ? patient() : Limits{});
    if (round % 4 == 0) {
      for (const auto* line : {"EHLO a\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<a@b.test>\r\n", "DATA\r\n"})
        session.feed(line);
    }
    for (int step = 0; step < 30; ++step) {
      std::string bytes;
      for (auto count = 1 + random() % 4; count > 0; --count) bytes += words[random() % words.size()];
      session.feed(bytes);
      const auto output = session.take_output();
      ASSERT_TRUE(is_replies(output)) << testing::PrintToString(output);
      if (!session.closed()) continue;
      session.feed("NOOP\r\n");
      ASSERT_EQ(session.take_output(), "") << "closed for good";
      break;
    }
    messages += session.messages().size();
  }
  EXPECT_GT(messages, 100U) << "the generator never gets through";
}

}  // namespace
}  // namespace mailid::server
