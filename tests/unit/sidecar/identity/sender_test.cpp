#include "sidecar/identity/sender.hpp"

#include <gtest/gtest.h>

namespace mailid::identity {
namespace {

bool allows(std::vector<std::string> senders, std::string_view address) {
  contract::Identity identity;
  identity.mailbox = "billing@contoso.test";
  identity.senders = std::move(senders);
  return sender_allowed(identity, address);
}

TEST(SenderAllowed, IsTheMailboxWhereNothingIsListed) {
  EXPECT_TRUE(allows({}, "billing@contoso.test"));
  EXPECT_TRUE(allows({}, "Billing@Contoso.TEST"));
  EXPECT_FALSE(allows({}, "ceo@contoso.test"));
}

TEST(SenderAllowed, IsOnlyWhatIsListedWhereSomethingIs) {
  EXPECT_TRUE(allows({"invoices@contoso.test"}, "invoices@contoso.test"));
  EXPECT_FALSE(allows({"invoices@contoso.test"}, "billing@contoso.test"));
}

TEST(SenderAllowed, TakesEveryAddressOfADomainByAStar) {
  EXPECT_TRUE(allows({"*@contoso.test"}, "anybody@contoso.test"));
  EXPECT_FALSE(allows({"*@contoso.test"}, "anybody@sub.contoso.test"));
  EXPECT_FALSE(allows({"*@contoso.test"}, "anybody@evilcontoso.test"));
  EXPECT_FALSE(allows({"*@contoso.test"}, "@contoso.test"));
  EXPECT_FALSE(allows({"*@contoso.test"}, "contoso.test"));
}

TEST(SenderAllowed, LooksAtTheLastAtSign) {
  EXPECT_FALSE(allows({"*@contoso.test"}, "a@contoso.test@evil.test"));
}

TEST(SenderAllowed, IsTheEmptySenderAlways) {
  EXPECT_TRUE(allows({"invoices@contoso.test"}, ""));
}

}  // namespace
}  // namespace mailid::identity
