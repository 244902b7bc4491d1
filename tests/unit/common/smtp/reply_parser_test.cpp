#include "common/smtp/reply_parser.hpp"

#include <gmock/gmock.h>

#include "tests/unit/common/smtp/pieces.hpp"

namespace mailid::smtp {
namespace {

using State = ReplyParser::State;

Reply parsed(std::string_view wire) {
  ReplyParser parser;
  EXPECT_EQ(parser.feed(wire), wire.size()) << wire;
  EXPECT_EQ(parser.state(), State::Complete) << wire;
  return parser.take();
}

State state_after(std::string_view wire) {
  ReplyParser parser;
  parser.feed(wire);
  return parser.state();
}

TEST(ReplyParser, TakesCodeEnhancedCodeAndTextApart) {
  const Reply reply = parsed("535 5.7.3 Authentication unsuccessful [host]\r\n");
  EXPECT_EQ(reply.code, 535);
  EXPECT_EQ(reply.enhanced, "5.7.3");
  EXPECT_EQ(reply.text(), "Authentication unsuccessful [host]");
}

TEST(ReplyParser, TakesTheRepeatedEnhancedCodeOutOfEveryLine) {
  const Reply reply = parsed(
      "552-5.2.3 Your message exceeded Google's message size limits. For more\r\n"
      "552-5.2.3 information, visit\r\n"
      "552 5.2.3  https://support.example - gsmtp\r\n");
  EXPECT_EQ(reply.enhanced, "5.2.3");
  EXPECT_THAT(reply.lines,
              testing::ElementsAre("Your message exceeded Google's message size limits. For more",
                                   "information, visit", " https://support.example - gsmtp"));
}

TEST(ReplyParser, FindsAnEnhancedCodeThatOnlyTheLastLineHas) {
  const Reply reply = parsed("550-Blocked.\r\n550 5.7.1 Ask your administrator\r\n");
  EXPECT_EQ(reply.enhanced, "5.7.1");
  EXPECT_THAT(reply.lines, testing::ElementsAre("Blocked.", "Ask your administrator"));
}

TEST(ReplyParser, LeavesInTheTextWhatIsNoEnhancedCode) {
  for (const auto* text :
       {"5.7.1.2 x", "4.7.1 another class", "5.7 x", "5..1 x", "5.7.1234 x", "5.7.1x", "5"}) {
    const Reply reply = parsed("550 " + std::string(text) + "\r\n");
    EXPECT_EQ(reply.enhanced, "") << text;
    EXPECT_EQ(reply.text(), text);
  }
  EXPECT_EQ(parsed("354 3.0.0 go ahead\r\n").enhanced, "");
}

TEST(ReplyParser, TakesACodeWithoutText) {
  EXPECT_EQ(parsed("250\r\n").lines, std::vector<std::string>{""});
  EXPECT_EQ(parsed("334 \r\n").lines, std::vector<std::string>{""});
  EXPECT_EQ(parsed("250 2.1.5\r\n").enhanced, "2.1.5");
}

TEST(ReplyParser, TakesALoneLineFeedForTheEndOfALine) {
  EXPECT_EQ(parsed("250-a\n250 b\n"), parsed("250-a\r\n250 b\r\n"));
}

TEST(ReplyParser, DoesNotCareHowTheBytesAreCut) {
  constexpr std::string_view kWire =
      "250-up.test\r\n250-SIZE 52428800\r\n250-AUTH PLAIN XOAUTH2\r\n250 CHUNKING\r\n";
  const Reply whole = parsed(kWire);
  for (const auto& pieces : ways_to_cut(kWire)) {
    ReplyParser parser;
    for (const auto piece : pieces) ASSERT_EQ(parser.feed(piece), piece.size());
    ASSERT_EQ(parser.state(), State::Complete);
    EXPECT_EQ(parser.take(), whole);
  }
}

TEST(ReplyParser, StopsBehindTheReplyAndGoesOnAfterTake) {
  constexpr std::string_view kTwo = "250 2.1.0 Ok\r\n550 5.1.1 Nobody\r\n";
  ReplyParser parser;
  const auto taken = parser.feed(kTwo);
  EXPECT_EQ(taken, 14U);
  EXPECT_EQ(parser.feed(kTwo.substr(taken)), 0U);
  EXPECT_EQ(parser.take().code, 250);
  parser.feed(kTwo.substr(taken));
  ASSERT_EQ(parser.state(), State::Complete);
  EXPECT_EQ(parser.take().code, 550);
}

TEST(ReplyParser, IsInvalidForWhatIsNoReplyLine) {
  for (const auto* wire : {"HTTP/1.1 400 Bad Request\r\n", "\r\n", "25 short\r\n", "250_x\r\n", "2500 x\r\n",
                           "199 x\r\n", "600 x\r\n", "SSH-2.0-x\n", "\x15\x03\x01\n"}) {
    EXPECT_EQ(state_after(wire), State::Invalid) << wire;
  }
}

TEST(ReplyParser, IsInvalidWhereTheCodesOfTheLinesDiffer) {
  EXPECT_EQ(state_after("250-a\r\n550 b\r\n"), State::Invalid);
}

TEST(ReplyParser, IsInvalidForGood) {
  ReplyParser parser;
  parser.feed("nonsense\r\n");
  EXPECT_EQ(parser.feed("250 ok\r\n"), 0U);
  EXPECT_EQ(parser.state(), State::Invalid);
}

TEST(ReplyParser, TakesTheLongestLineAndNotOneOctetMore) {
  const std::string longest = "250 " + std::string(ReplyParser::kMaxLine - 4, 'x');
  EXPECT_EQ(state_after(longest + "\r\n"), State::Complete);
  EXPECT_EQ(state_after(longest + "x\r\n"), State::Invalid);
  EXPECT_EQ(state_after(longest + "xx"), State::Invalid);
}

TEST(ReplyParser, TakesNoEndlessReply) {
  const std::string line = "250-x\r\n";
  ReplyParser parser;
  for (std::size_t i = 0; i < ReplyParser::kMaxLines; ++i) parser.feed(line);
  EXPECT_EQ(parser.state(), State::Incomplete);
  parser.feed("250 end\r\n");
  EXPECT_EQ(parser.state(), State::Invalid);
}

TEST(ReplyParser, TakesNoHugeReply) {
  const std::string line = "250-" + std::string(4000, 'x') + "\r\n";
  ReplyParser parser;
  for (int i = 0; i < 16; ++i) parser.feed(line);
  EXPECT_EQ(parser.state(), State::Incomplete);
  parser.feed(line);
  EXPECT_EQ(parser.state(), State::Invalid);
}

TEST(Format, GivesTheReplyBackAsItCame) {
  constexpr std::string_view kWire =
      "554-5.2.252 SendAsDenied; a not allowed\r\n554 5.2.252 to send as b\r\n";
  EXPECT_EQ(format(parsed(kWire)), kWire);
}

TEST(Format, LetsNoControlByteOfARelayBreakOurDialogue) {
  EXPECT_EQ(format(make_reply(550, "5.7.1", "no\r\n250 ok\x7f\t.")), "550 5.7.1 no  250 ok  .\r\n");
}

TEST(Format, CutsALineWithoutHalvingACharacter) {
  const std::string wire = format(make_reply(550, "", std::string(495, 'x') + "\xc3\xa4"));
  EXPECT_EQ(wire, "550 " + std::string(495, 'x') + "\r\n");
}

}  // namespace
}  // namespace mailid::smtp
