#include "common/smtp/capabilities.hpp"

#include <gmock/gmock.h>

#include "common/smtp/reply_parser.hpp"

namespace mailid::smtp {
namespace {

using testing::ElementsAre;

Capabilities offered_by(std::string_view ehlo) {
  ReplyParser parser;
  parser.feed(ehlo);
  EXPECT_EQ(parser.state(), ReplyParser::State::Complete);
  return parse_capabilities(parser.take());
}

TEST(Capabilities, OfPostfixAfterTls) {
  const auto capabilities = offered_by(
      "250-up.test\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-VRFY\r\n250-ETRN\r\n"
      "250-AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n"
      "250-SMTPUTF8\r\n250 CHUNKING\r\n");
  EXPECT_FALSE(capabilities.starttls);
  EXPECT_TRUE(capabilities.pipelining);
  EXPECT_TRUE(capabilities.size);
  EXPECT_TRUE(capabilities.eight_bit_mime);
  EXPECT_TRUE(capabilities.smtputf8);
  EXPECT_THAT(capabilities.mechanisms, ElementsAre("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"));
}

TEST(Capabilities, OfExchangeBeforeTls) {
  const auto capabilities = offered_by(
      "250-FR4P281CA0001.outlook.office365.com Hello [203.0.113.7]\r\n250-SIZE "
      "157286400\r\n250-PIPELINING\r\n"
      "250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n250-STARTTLS\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250-"
      "CHUNKING\r\n"
      "250 SMTPUTF8\r\n");
  EXPECT_TRUE(capabilities.starttls);
  EXPECT_THAT(capabilities.mechanisms, ElementsAre());
}

TEST(Capabilities, AreReadInAnyCase) {
  const auto capabilities = offered_by("250-x\r\n250-StartTLS\r\n250 auth xoauth2\r\n");
  EXPECT_TRUE(capabilities.starttls);
  EXPECT_TRUE(capabilities.offers_mechanism("XOAuth2"));
}

TEST(Capabilities, TakeTheOldFormOfAuthToo) {
  const auto capabilities = offered_by("250-x\r\n250-AUTH=LOGIN XOAUTH2\r\n250 AUTH LOGIN\r\n");
  EXPECT_THAT(capabilities.mechanisms, ElementsAre("LOGIN", "XOAUTH2"));
}

TEST(Capabilities, AreNotFoundInTheGreetingOrInsideOfWords) {
  EXPECT_EQ(offered_by("250-STARTTLS\r\n250-XSTARTTLS\r\n250-STARTTLSX\r\n250 AUTHENTIC XOAUTH2\r\n"),
            Capabilities{});
}

}  // namespace
}  // namespace mailid::smtp
