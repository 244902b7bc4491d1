#include "operator/api/mail_identity.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace mailid::api {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

/// An object as the API server sends it, with every member of the spec.
json billing() {
  return json::parse(R"({
    "apiVersion": "mailidentity.io/v1alpha1", "kind": "MailIdentity",
    "metadata": {"name": "billing", "namespace": "shop", "uid": "3f1c", "resourceVersion": "77", "generation": 3,
                 "annotations": {"mailidentity.io/refresh": "now"}},
    "spec": {
      "mailbox": "billing@contoso.test",
      "provider": {"microsoft365": {"tenant": "contoso.test", "clientID": "6f1c4d5e",
        "cloud": "Public", "authorityHost": "https://login.contoso.test",
        "credential": {"clientSecretRef": {"name": "contoso-app", "key": "client-secret"}}}},
      "smtp": {"host": "smtp.contoso.test", "port": 2587, "tls": "StartTLS", "mechanism": "OAUTHBEARER",
               "caBundle": "PEM"},
      "senders": {"allowed": ["billing@contoso.test", "*@invoices.contoso.test"], "onMismatch": "Reject"},
      "delivery": {"mode": "Direct", "deadline": "1m30s"},
      "limits": {"connections": 2, "messageSize": "25Mi"}
    }})");
}

json with_oauth2() {
  auto object = billing();
  object["spec"]["provider"] = json::parse(R"({"oauth2": {
    "tokenURL": "https://id.example.test/token", "clientID": "billing app", "scopes": ["smtp", "offline"],
    "clientAuthentication": "Post", "caBundle": "PEM",
    "credential": {"clientSecretRef": {"name": "app", "key": "secret"}}}})");
  return object;
}

MailIdentity read(const json& object) {
  auto identity = mail_identity_from_json(object.dump());
  return std::move(identity).value();
}

std::string what_is_wrong_with(const json& object) {
  const auto identity = read(object);
  return identity.spec ? "nothing" : identity.spec.error().context;
}

TEST(MailIdentity, HasItsMetadata) {
  auto object = billing();
  const auto metadata = read(object).metadata;
  EXPECT_EQ(metadata.name, "billing");
  EXPECT_EQ(metadata.name_space, "shop");
  EXPECT_EQ(metadata.uid, "3f1c");
  EXPECT_EQ(metadata.resource_version, "77");
  EXPECT_EQ(metadata.generation, 3);
  EXPECT_FALSE(metadata.deleting);
  EXPECT_EQ(metadata.annotations.at(std::string(kRefreshAnnotation)), "now");
  object["metadata"]["deletionTimestamp"] = "2026-11-24T05:06:07Z";
  EXPECT_TRUE(read(object).metadata.deleting);
}

TEST(MailIdentity, HasAMicrosoft365Spec) {
  const auto identity = read(billing());
  ASSERT_TRUE(identity.spec) << identity.spec.error().context;
  const auto& spec = *identity.spec;
  EXPECT_EQ(spec.mailbox, "billing@contoso.test");
  const auto& provider = std::get<Microsoft365>(spec.provider);
  EXPECT_EQ(provider.tenant, "contoso.test");
  EXPECT_EQ(provider.client_id, "6f1c4d5e");
  EXPECT_EQ(provider.cloud, "Public");
  EXPECT_EQ(provider.authority_host, "https://login.contoso.test");
  EXPECT_EQ(provider.client_secret, (SecretKeyRef{"contoso-app", "client-secret"}));
  EXPECT_EQ(spec.smtp.host, "smtp.contoso.test");
  EXPECT_EQ(spec.smtp.port, 2587);
  EXPECT_EQ(spec.smtp.mechanism, contract::Mechanism::OAuthBearer);
  EXPECT_EQ(spec.smtp.ca_bundle, "PEM");
  EXPECT_THAT(spec.senders, ElementsAre("billing@contoso.test", "*@invoices.contoso.test"));
  EXPECT_EQ(spec.deadline, std::chrono::seconds(90));
  EXPECT_EQ(spec.connections, 2U);
  EXPECT_EQ(spec.message_size, 26'214'400U);
}

TEST(MailIdentity, HasAnOAuth2Spec) {
  const auto identity = read(with_oauth2());
  ASSERT_TRUE(identity.spec) << identity.spec.error().context;
  const auto& provider = std::get<OAuth2>(identity.spec->provider);
  EXPECT_EQ(provider.token_url, "https://id.example.test/token");
  EXPECT_EQ(provider.client_id, "billing app");
  EXPECT_THAT(provider.scopes, ElementsAre("smtp", "offline"));
  EXPECT_EQ(provider.client_authentication, oauth::ClientAuthentication::Post);
  EXPECT_EQ(provider.ca_bundle, "PEM");
  EXPECT_EQ(provider.client_secret, (SecretKeyRef{"app", "secret"}));
}

TEST(MailIdentity, AuthenticatesByBasicWhereNothingElseIsAskedFor) {
  auto object = with_oauth2();
  object["spec"]["provider"]["oauth2"].erase("clientAuthentication");
  const auto identity = read(object);
  ASSERT_TRUE(identity.spec);
  EXPECT_EQ(std::get<OAuth2>(identity.spec->provider).client_authentication,
            oauth::ClientAuthentication::Basic);
}

TEST(MailIdentity, TakesASizeInPlainBytes) {
  auto object = billing();
  object["spec"]["limits"]["messageSize"] = 1'000'000;
  const auto identity = read(object);
  ASSERT_TRUE(identity.spec);
  EXPECT_EQ(identity.spec->message_size, 1'000'000U);
}

TEST(MailIdentity, LeavesOpenWhatIsNotGiven) {
  auto object = billing();
  for (const auto* member : {"smtp", "senders", "delivery", "limits"}) object["spec"].erase(member);
  const auto identity = read(object);
  ASSERT_TRUE(identity.spec);
  EXPECT_EQ(identity.spec->smtp.host, "");
  EXPECT_EQ(identity.spec->smtp.port, std::nullopt);
  EXPECT_EQ(identity.spec->smtp.mechanism, std::nullopt);
  EXPECT_TRUE(identity.spec->senders.empty());
  EXPECT_EQ(identity.spec->deadline, std::nullopt);
  EXPECT_EQ(identity.spec->connections, std::nullopt);
  EXPECT_EQ(identity.spec->message_size, std::nullopt);
}

TEST(MailIdentity, IgnoresMembersOfANewerSchema) {
  auto object = billing();
  object["spec"]["smtp"]["proxy"] = "socks";
  EXPECT_EQ(what_is_wrong_with(object), "nothing");
}

struct Mistake {
  const char* pointer;
  json value;
  const char* named;
};

TEST(MailIdentity, NamesTheMemberThatIsWrong) {
  const Mistake mistakes[] = {
      {"/spec/mailbox", nullptr, "spec.mailbox must be given"},
      {"/spec/mailbox", "billing", "spec.mailbox must be a mail address"},
      {"/spec/mailbox", "a@b\u0001auth=Bearer x", "spec.mailbox must not hold spaces or control characters"},
      {"/spec/provider", json::object(), "spec.provider must have exactly one member"},
      {"/spec/provider/oauth2", json::object(), "spec.provider must have exactly one member"},
      {"/spec/provider/microsoft365/tenant", nullptr, "spec.provider.microsoft365.tenant must be given"},
      {"/spec/provider/microsoft365/clientID", 7, "spec.provider.microsoft365.clientID must be a string"},
      {"/spec/provider/microsoft365/credential", nullptr, "credential.clientSecretRef must be given"},
      {"/spec/provider/microsoft365/credential/clientSecretRef/key", "", "clientSecretRef.key must be given"},
      {"/spec/smtp/port", 70'000, "spec.smtp.port must be a whole number from 1 to 65535"},
      {"/spec/smtp/tls", "None", "spec.smtp.tls must be StartTLS"},
      {"/spec/smtp/mechanism", "PLAIN", "spec.smtp.mechanism must be XOAUTH2 or OAUTHBEARER"},
      {"/spec/senders/onMismatch", "Rewrite", "spec.senders.onMismatch must be Reject"},
      {"/spec/senders/allowed", json::array({"a b"}), "spec.senders.allowed must be mail addresses"},
      {"/spec/delivery/mode", "Queue", "spec.delivery.mode must be Direct"},
      {"/spec/delivery/deadline", "25", "spec.delivery.deadline must be a duration such as 25s"},
      {"/spec/delivery/deadline", "2h", "spec.delivery.deadline must be a duration such as 25s, at most 1h"},
      {"/spec/limits/connections", 0, "spec.limits.connections must be a whole number"},
      {"/spec/limits/messageSize", "25MB", "spec.limits.messageSize must be a number of bytes such as 25Mi"},
      {"/spec/limits/messageSize", -1, "spec.limits.messageSize must be a number of bytes such as 25Mi"},
  };
  for (const auto& mistake : mistakes) {
    auto object = billing();
    object[json::json_pointer(mistake.pointer)] = mistake.value;
    EXPECT_THAT(what_is_wrong_with(object), HasSubstr(mistake.named)) << mistake.pointer;
  }
}

TEST(MailIdentity, NamesEveryMemberThatIsWrong) {
  auto object = billing();
  object["spec"]["mailbox"] = "x";
  object["spec"]["smtp"]["port"] = 0;
  EXPECT_THAT(what_is_wrong_with(object),
              AllOf(HasSubstr("spec.mailbox"), HasSubstr("; "), HasSubstr("spec.smtp.port")));
}

TEST(MailIdentity, OfWhichNotEvenTheNameCanBeReadIsNone) {
  auto object = billing();
  object["metadata"].erase("uid");
  const auto identity = mail_identity_from_json(object.dump());
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().reason, catalogue::Reason::InvalidSpec);
  EXPECT_FALSE(mail_identity_from_json("not JSON"));
  EXPECT_FALSE(mail_identity_from_json("[]"));
}

Status some_status() {
  Status status;
  status.observed_generation = 3;
  status.provider = "Microsoft365";
  const base::Time now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(5);
  set_condition(status.conditions,
                {std::string(kReady), ConditionStatus::True, "Ready", "all is well", 3, {}}, now);
  set_condition(
      status.conditions,
      {std::string(kLoginVerified), ConditionStatus::Unknown, "RelayUnreachable", "no route", 3, {}}, now);
  status.token = TokenStatus{"billing-mail-token", now, now + std::chrono::hours(1), std::nullopt};
  status.last_failure =
      LastFailure{now, 4, "InvalidClient", now + std::chrono::minutes(5), "00ff00ff00ff00ff"};
  return status;
}

TEST(Status, SurvivesTheWayThroughTheApiServer) {
  const auto status = some_status();
  auto object = billing();
  object["status"] = json::parse(status_to_json(read(object).metadata, status))["status"];
  EXPECT_EQ(read(object).status, status);
}

TEST(Status, IsAppliedToTheObjectAsItWasRead) {
  const auto applied = json::parse(status_to_json(read(billing()).metadata, some_status()));
  EXPECT_EQ(applied["apiVersion"], kApiVersion);
  EXPECT_EQ(applied["kind"], kKind);
  EXPECT_EQ(applied["metadata"],
            (json{{"name", "billing"}, {"namespace", "shop"}, {"uid", "3f1c"}, {"resourceVersion", "77"}}));
  EXPECT_EQ(applied["status"]["token"]["issueTime"], "2026-11-24T05:00:00Z");
  EXPECT_FALSE(applied["status"]["token"].contains("nextRefreshTime"));
}

TEST(Status, LeavesOutWhatThereIsNot) {
  const auto applied = json::parse(status_to_json(read(billing()).metadata, Status{}));
  EXPECT_EQ(applied["status"], (json{{"observedGeneration", 0}, {"conditions", json::array()}}));
}

TEST(Status, WithWordsThatAreNotUtf8IsStillJson) {
  auto status = some_status();
  status.conditions[0].message = "550 \xFF";
  EXPECT_THAT(status_to_json(read(billing()).metadata, status), HasSubstr("550 \xEF\xBF\xBD"));
}

TEST(Status, ThatMakesNoSenseIsNone) {
  for (const auto* nonsense :
       {R"({"conditions": {}})", R"({"conditions": [{"type": "Ready", "status": "Perhaps"}]})", R"([])",
        R"({"token": {"issueTime": "yesterday"}})", R"({"lastFailure": {"count": -1}})"}) {
    auto object = billing();
    object["status"] = json::parse(nonsense);
    EXPECT_EQ(read(object).status, Status{}) << nonsense;
  }
}

TEST(Path, LeadsToTheObject) {
  EXPECT_EQ(path_of(read(billing()).metadata),
            "/apis/mailidentity.io/v1alpha1/namespaces/shop/mailidentities/billing");
  EXPECT_EQ(token_secret_name("billing"), "billing-mail-token");
}

}  // namespace
}  // namespace mailid::api
