#include "operator/admission/certificates.hpp"

#include <gmock/gmock.h>

#include "common/net/tls.hpp"

namespace mailid::admission {
namespace {

using namespace std::chrono_literals;

const base::Time kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)};

Certificate authority(Validity validity = {kNow, kNow + 8760h}) {
  auto made = make_authority("webhook of the test", validity);
  EXPECT_TRUE(made) << made.error();
  return std::move(*made);
}

TEST(MakeAuthority, GivesOneThatCanSign) {
  EXPECT_EQ(authority_trouble(authority(), kNow), std::nullopt);
}

TEST(MakeAuthority, GivesAnotherOneEachTime) {
  EXPECT_NE(authority().certificate_pem, authority().certificate_pem);
}

TEST(Issue, GivesACertificateThatServesTls) {
  const auto leaf = issue(authority(), "webhook.mail.svc", {kNow, kNow + 168h});
  ASSERT_TRUE(leaf) << leaf.error();
  net::TlsServerContext tls;
  EXPECT_TRUE(tls.use(leaf->certificate_pem, leaf->key_pem));
}

TEST(Issue, EndsWhenItWasAskedTo) {
  const auto leaf = issue(authority(), "webhook.mail.svc", {kNow, kNow + 168h});
  EXPECT_EQ(expiry(leaf->certificate_pem), kNow + 168h);
}

TEST(Issue, NeverOutlivesItsAuthority) {
  const auto leaf = issue(authority({kNow, kNow + 24h}), "webhook.mail.svc", {kNow, kNow + 168h});
  EXPECT_EQ(expiry(leaf->certificate_pem), kNow + 24h);
}

TEST(Issue, TakesANameThatIsLongerThanACommonName) {
  const auto name = std::string(63, 'a') + '.' + std::string(63, 'b') + ".svc";
  EXPECT_TRUE(issue(authority(), name, {kNow, kNow + 168h}));
}

TEST(Issue, FailsWithoutAnAuthority) {
  EXPECT_FALSE(issue({"no certificate", base::Secret("no key")}, "webhook.mail.svc", {kNow, kNow + 168h}));
}

TEST(AuthorityTrouble, IsAnEndThatHasCome) {
  EXPECT_EQ(authority_trouble(authority(), kNow + 8760h), "the certificate has expired");
}

TEST(AuthorityTrouble, IsAKeyOfAnother) {
  auto mixed = authority();
  mixed.key_pem = authority().key_pem.clone();
  EXPECT_EQ(authority_trouble(mixed, kNow), "certificate and key don't belong together");
}

TEST(AuthorityTrouble, IsACertificateThatMayNotSign) {
  const auto leaf = issue(authority(), "webhook.mail.svc", {kNow, kNow + 168h});
  EXPECT_EQ(authority_trouble(*leaf, kNow), "the certificate is not a certificate authority's");
}

TEST(AuthorityTrouble, IsGarbageOfAnySize) {
  const auto good = authority();
  EXPECT_TRUE(authority_trouble({"", base::Secret("")}, kNow));
  EXPECT_TRUE(authority_trouble({std::string(1'000'000, 'x'), good.key_pem.clone()}, kNow));
}

}  // namespace
}  // namespace mailid::admission
