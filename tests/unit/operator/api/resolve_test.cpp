#include "operator/api/resolve.hpp"

#include <gmock/gmock.h>

namespace mailid::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Spec microsoft365() {
  Spec spec;
  spec.mailbox = "billing@contoso.test";
  spec.provider =
      Microsoft365{"contoso.onmicrosoft.com", "6f1c4d5e", "Public", "", {"contoso-app", "client-secret"}};
  return spec;
}

Spec oauth2() {
  Spec spec;
  spec.mailbox = "billing@example.test";
  spec.provider = OAuth2{"https://id.example.test/token",
                         "app",
                         {"smtp", "mail"},
                         oauth::ClientAuthentication::Basic,
                         {"app", "secret"},
                         "PEM of the endpoint"};
  spec.smtp.host = "relay.example.test";
  return spec;
}

std::string refusal(const Spec& spec) {
  const auto resolved = resolve("billing", spec);
  return resolved ? "none" : resolved.error().context;
}

TEST(Resolve, GivesMicrosoft365ThePresetOfItsCloud) {
  const auto resolved = resolve("billing", microsoft365());
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->provider, "Microsoft365");
  EXPECT_EQ(resolved->request.token_url,
            "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token");
  EXPECT_EQ(resolved->request.scope, "https://outlook.office365.com/.default");
  EXPECT_EQ(resolved->request.authentication, oauth::ClientAuthentication::Post);
  EXPECT_EQ(resolved->request.client_id, "6f1c4d5e");
  EXPECT_TRUE(resolved->request.client_secret.empty());
  EXPECT_EQ(resolved->client_secret, (SecretKeyRef{"contoso-app", "client-secret"}));
  EXPECT_EQ(resolved->identity.name, "billing");
  EXPECT_EQ(resolved->identity.mailbox, "billing@contoso.test");
  EXPECT_EQ(resolved->identity.host, "smtp.office365.com");
  EXPECT_EQ(resolved->identity.port, 587);
  EXPECT_EQ(resolved->identity.connections, 3U);
}

TEST(Resolve, TakesTheTokenFromAnotherAuthority) {
  auto spec = microsoft365();
  std::get<Microsoft365>(spec.provider).authority_host = "https://login.contoso.test:8443/";
  const auto resolved = resolve("billing", spec);
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->request.token_url,
            "https://login.contoso.test:8443/contoso.onmicrosoft.com/oauth2/v2.0/token");
}

TEST(Resolve, GivesOAuth2WhatTheSpecSays) {
  const auto resolved = resolve("billing", oauth2());
  ASSERT_TRUE(resolved);
  EXPECT_EQ(resolved->provider, "OAuth2");
  EXPECT_EQ(resolved->request.token_url, "https://id.example.test/token");
  EXPECT_EQ(resolved->request.scope, "smtp mail");
  EXPECT_EQ(resolved->request.authentication, oauth::ClientAuthentication::Basic);
  EXPECT_EQ(resolved->request.ca_bundle, "PEM of the endpoint");
  EXPECT_EQ(resolved->identity.host, "relay.example.test");
  EXPECT_EQ(resolved->identity.ca_bundle, "");
}

TEST(Resolve, LetsTheSpecWinOverThePreset) {
  auto spec = microsoft365();
  spec.smtp = {"SMTP.Contoso.Test", 2587, contract::Mechanism::OAuthBearer, "PEM of the relay"};
  spec.senders = {"*@contoso.test"};
  spec.deadline = std::chrono::seconds(10);
  spec.connections = 1;
  spec.message_size = 1'000;
  const auto resolved = resolve("billing", spec);
  ASSERT_TRUE(resolved);
  const auto& identity = resolved->identity;
  EXPECT_EQ(identity.host, "smtp.contoso.test");
  EXPECT_EQ(identity.port, 2587);
  EXPECT_EQ(identity.mechanism, contract::Mechanism::OAuthBearer);
  EXPECT_EQ(identity.ca_bundle, "PEM of the relay");
  EXPECT_THAT(identity.senders, ElementsAre("*@contoso.test"));
  EXPECT_EQ(identity.deadline, std::chrono::seconds(10));
  EXPECT_EQ(identity.connections, 1U);
  EXPECT_EQ(identity.message_size, 1'000U);
}

TEST(Resolve, RefusesATenantThatWouldLeadElsewhere) {
  for (const auto* tenant :
       {"../../evil", "a/b", "contoso.test?x=", "", "..", "common", "Organizations", "a b"}) {
    auto spec = microsoft365();
    std::get<Microsoft365>(spec.provider).tenant = tenant;
    EXPECT_THAT(refusal(spec), HasSubstr("spec.provider.microsoft365.tenant")) << tenant;
  }
}

TEST(Resolve, RefusesAnAuthorityThatCanNotBeUsed) {
  for (const auto* authority : {"http://login.contoso.test", "login.contoso.test", "https://a@b.test",
                                "https://login.contoso.test/?x=", "https://login.contoso.test/#"}) {
    auto spec = microsoft365();
    std::get<Microsoft365>(spec.provider).authority_host = authority;
    EXPECT_THAT(refusal(spec), HasSubstr("spec.provider.microsoft365.authorityHost")) << authority;
  }
}

TEST(Resolve, RefusesACloudThatIsNotOffered) {
  auto spec = microsoft365();
  std::get<Microsoft365>(spec.provider).cloud = "Germany";
  EXPECT_EQ(refusal(spec), "spec.provider.microsoft365.cloud must be Public");
}

TEST(Resolve, RefusesATokenUrlThatIsNotHttps) {
  auto spec = oauth2();
  std::get<OAuth2>(spec.provider).token_url = "http://id.example.test/token";
  EXPECT_THAT(refusal(spec), HasSubstr("spec.provider.oauth2.tokenURL"));
}

TEST(Resolve, AsksForTheRelayThatOAuth2DoesNotHave) {
  auto spec = oauth2();
  spec.smtp.host = "";
  EXPECT_THAT(refusal(spec), HasSubstr("spec.smtp.host must be given"));
}

TEST(Resolve, RefusesARelayThatIsNotAHost) {
  for (const auto* host :
       {"https://relay.example.test", "relay.example.test:587", "relay example", "127.1"}) {
    auto spec = oauth2();
    spec.smtp.host = host;
    EXPECT_THAT(refusal(spec), HasSubstr("spec.smtp.host must be a DNS name or an address")) << host;
  }
}

std::string host_refusal(const Spec& spec, std::vector<std::string> allowed) {
  const auto resolved = resolve("billing", spec);
  const auto checked = check_hosts(*resolved, oauth::AllowedHosts(std::move(allowed)));
  if (checked) return "none";
  EXPECT_EQ(checked.error().reason, catalogue::Reason::HostNotAllowed);
  return checked.error().context;
}

TEST(CheckHosts, LetsPresetsPass) {
  EXPECT_EQ(host_refusal(microsoft365(), {}), "none");
}

TEST(CheckHosts, NamesTheTokenHostFirst) {
  EXPECT_EQ(host_refusal(oauth2(), {}), "id.example.test (from spec.provider.oauth2.tokenURL)");
}

TEST(CheckHosts, NamesTheRelay) {
  EXPECT_EQ(host_refusal(oauth2(), {"id.example.test"}), "relay.example.test (from spec.smtp.host)");
  EXPECT_EQ(host_refusal(oauth2(), {"*.example.test"}), "none");
}

TEST(CheckHosts, NamesAnAuthorityOfSomebodyElse) {
  auto spec = microsoft365();
  std::get<Microsoft365>(spec.provider).authority_host = "https://login.evil.test";
  EXPECT_EQ(host_refusal(spec, {}), "login.evil.test (from spec.provider.microsoft365.authorityHost)");
}

TEST(CheckHosts, NamesARelayThatReplacesThePreset) {
  auto spec = microsoft365();
  spec.smtp.host = "smtp.evil.test";
  EXPECT_EQ(host_refusal(spec, {}), "smtp.evil.test (from spec.smtp.host)");
}

}  // namespace
}  // namespace mailid::api
