#include "sidecar/delivery/sender_policy.hpp"

#include <gmock/gmock.h>

namespace mailid::delivery {
namespace {

using testing::HasSubstr;
using testing::Optional;

contract::Identity billing() {
  contract::Identity identity;
  identity.name = "billing";
  identity.mailbox = "billing@contoso.test";
  return identity;
}

std::optional<std::string> forbidden(std::string_view header) {
  return forbidden_header(billing(), parse_message_header(header));
}

TEST(SenderPolicy, LetsTheIdentitysOwnSenderPass) {
  EXPECT_EQ(forbidden_envelope(billing(), "billing@contoso.test"), std::nullopt);
  EXPECT_EQ(forbidden_envelope(billing(), ""), std::nullopt);
  EXPECT_EQ(forbidden("From: =?utf-8?Q?B=C3=BCro?= <Billing@contoso.test>\r\n"), std::nullopt);
}

TEST(SenderPolicy, NamesTheSenderAndTheIdentity) {
  EXPECT_THAT(forbidden_envelope(billing(), "ceo@contoso.test"),
              Optional(std::string("<ceo@contoso.test> is not a sender of identity billing")));
}

TEST(SenderPolicy, LooksAtFromToo) {
  EXPECT_THAT(forbidden("From: <ceo@contoso.test>\r\n"),
              Optional(HasSubstr("<ceo@contoso.test> in the From field")));
}

TEST(SenderPolicy, WantsEveryAuthorToBeAllowed) {
  EXPECT_THAT(forbidden("From: billing@contoso.test, ceo@contoso.test\r\n"),
              Optional(HasSubstr("ceo@contoso.test")));
  EXPECT_THAT(forbidden("From: billing@contoso.test\r\nFrom: ceo@contoso.test\r\n"),
              Optional(HasSubstr("ceo@contoso.test")));
  EXPECT_THAT(forbidden("From: Us: billing@contoso.test, ceo@contoso.test;\r\n"),
              Optional(HasSubstr("ceo@contoso.test")));
}

TEST(SenderPolicy, RefusesWhatItCanNotRead) {
  EXPECT_THAT(forbidden("From: billing@contoso.test <\r\n"), Optional(HasSubstr("can't be read")));
}

TEST(SenderPolicy, LetsAMessageWithoutFromPass) {
  EXPECT_EQ(forbidden("Subject: x\r\n"), std::nullopt);
}

}  // namespace
}  // namespace mailid::delivery
