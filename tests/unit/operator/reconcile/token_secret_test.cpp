#include "operator/reconcile/token_secret.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "common/base/encoding.hpp"
#include "tests/unit/operator/reconcile/observation.hpp"

namespace mailid::reconcile {
namespace {

using catalogue::Reason;
using nlohmann::json;
using testing::HasSubstr;

class TokenSecretText : public testing::Test {
 protected:
  /// The Secret as the API server would give it back.
  json written() const {
    auto object = json::parse(new_token_secret(identity_, token(), "{\"mailbox\":\"b\"}"));
    object["metadata"]["uid"] = "uid-2";
    object["metadata"]["resourceVersion"] = "7";
    return object;
  }
  StoredToken token() const { return *seen_.token(); }
  TokenSecret read(const json& object) const { return *token_secret_from_json(object.dump(), identity_); }

  Observation seen_ = all_is_well();
  api::Metadata identity_ = seen_.identity.metadata;
};

TEST_F(TokenSecretText, IsReadBackAsItWasWritten) {
  const auto secret = read(written());
  EXPECT_TRUE(secret.ours);
  EXPECT_EQ(secret.uid, "uid-2");
  EXPECT_EQ(secret.resource_version, "7");
  EXPECT_EQ(secret.settings, "{\"mailbox\":\"b\"}");
  ASSERT_TRUE(secret.token);
  EXPECT_EQ(secret.token->value->reveal(), "token");
  EXPECT_EQ(secret.token->issued, token().issued);
  EXPECT_EQ(secret.token->expires, token().expires);
  EXPECT_EQ(secret.token->request, token().request);
}

TEST_F(TokenSecretText, HasWhatUsersRelyOn) {
  const auto object = written();
  EXPECT_EQ(object["metadata"]["name"], "billing-mail-token");
  EXPECT_EQ(object["metadata"]["labels"]["app.kubernetes.io/managed-by"], "mail-identity-operator");
  EXPECT_EQ(object["data"]["token"], base::base64_encode("token"));
  EXPECT_EQ(object["data"]["expires-at"], base::base64_encode("2026-11-24T00:50:00Z"));
  EXPECT_EQ(object["data"].size(), 3U);
}

TEST_F(TokenSecretText, BelongsToItsIdentitySoThatItGoesWithIt) {
  const auto object = written();
  const auto& owner = object["metadata"]["ownerReferences"].at(0);
  EXPECT_EQ(owner["uid"], "uid-1");
  EXPECT_EQ(owner["kind"], "MailIdentity");
  EXPECT_EQ(owner["controller"], true);
}

TEST_F(TokenSecretText, IsAppliedOnTopOfWhatWasSeenAndNothingElse) {
  const auto object = json::parse(changed_token_secret(identity_, *seen_.token_secret(), token(), "{}"));
  EXPECT_EQ(object["metadata"]["uid"], "uid-2");
  EXPECT_EQ(object["metadata"]["resourceVersion"], "7");
}

TEST_F(TokenSecretText, ShowsNoTokenOutsideOfItsData) {
  auto object = written();
  object.erase("data");
  EXPECT_THAT(object.dump(), testing::Not(HasSubstr(base::base64_encode("token"))));
}

TEST_F(TokenSecretText, IsNotOursWithoutOurUid) {
  auto object = written();
  object["metadata"]["ownerReferences"][0]["uid"] = "uid-of-another";
  const auto secret = read(object);
  EXPECT_FALSE(secret.ours);
  EXPECT_FALSE(secret.token);
  EXPECT_EQ(secret.owner, "MailIdentity billing with uid uid-of-another");
}

TEST_F(TokenSecretText, IsNotOursWhereWeAreAnOwnerButNotTheController) {
  auto object = written();
  object["metadata"]["ownerReferences"][0]["controller"] = false;
  EXPECT_FALSE(read(object).ours);
}

TEST_F(TokenSecretText, OfAPersonIsNobodys) {
  auto object = written();
  object["metadata"].erase("ownerReferences");
  EXPECT_FALSE(read(object).ours);
  EXPECT_EQ(read(object).owner, "");
}

TEST_F(TokenSecretText, HasNoTokenWhereSomebodyChangedIt) {
  auto object = written();
  object["data"]["token"] = base::base64_encode("another");
  EXPECT_TRUE(read(object).ours);
  EXPECT_FALSE(read(object).token);
}

TEST_F(TokenSecretText, HasNoTokenWhereSomebodyChangedItsEnd) {
  auto object = written();
  object["data"]["expires-at"] = base::base64_encode("2099-01-01T00:00:00Z");
  EXPECT_FALSE(read(object).token);
}

TEST_F(TokenSecretText, HasNoTokenWhereAKeyIsGoneOrNoBase64) {
  auto without = written();
  without["data"].erase("token");
  EXPECT_FALSE(read(without).token);
  auto broken = written();
  broken["data"]["token"] = "***";
  EXPECT_FALSE(read(broken).token);
  auto empty = written();
  empty.erase("data");
  EXPECT_FALSE(read(empty).token);
}

TEST_F(TokenSecretText, MayBeOfAnyShapeWithoutHarm) {
  for (const auto* text :
       {"", "[]", "{}", "null", R"({"metadata":[]})", R"({"metadata":{"uid":1}})",
        R"({"metadata":{"uid":"u","resourceVersion":"1","ownerReferences":[1,{"controller":7}]},"data":3})",
        R"({"data":{"a":1}})"}) {
    const auto secret = token_secret_from_json(text, identity_);
    EXPECT_TRUE(!secret || !secret->ours) << text;
  }
}

class CredentialText : public testing::Test {
 protected:
  static catalogue::Result<Credential> read(const std::string& value, const std::string& version = "1") {
    const json object = {{"metadata", {{"uid", "u"}, {"resourceVersion", version}}},
                         {"data", {{"client-secret", base::base64_encode(value)}}}};
    return credential_from_json(object.dump(), {"app", "client-secret"});
  }
};

TEST_F(CredentialText, GivesTheValueOfTheKey) {
  EXPECT_EQ(read("hunter2")->value.reveal(), "hunter2");
}

TEST_F(CredentialText, LosesTheLineBreakThatEditorsAdd) {
  EXPECT_EQ(read("hunter2\r\n")->value.reveal(), "hunter2");
}

TEST_F(CredentialText, ChangesItsVersionWithTheSecret) {
  EXPECT_EQ(read("a", "1")->version, read("b", "1")->version);
  EXPECT_NE(read("a", "1")->version, read("a", "2")->version);
}

TEST_F(CredentialText, NamesSecretAndKeyWhereItIsMissing) {
  const auto missing = credential_from_json(R"({"metadata":{},"data":{}})", {"app", "client-secret"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().reason, Reason::CredentialKeyMissing);
  EXPECT_EQ(missing.error().context, "Secret app, key client-secret");
  EXPECT_EQ(read("\n").error().reason, Reason::CredentialKeyMissing);
}

}  // namespace
}  // namespace mailid::reconcile
