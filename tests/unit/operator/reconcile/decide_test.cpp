#include "operator/reconcile/decide.hpp"

#include <gmock/gmock.h>

#include "tests/unit/operator/reconcile/observation.hpp"

namespace mailid::reconcile {
namespace {

using catalogue::Reason;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class Questions : public testing::Test {
 protected:
  Action action() const { return decide(seen).action; }
  std::string because() const { return std::string(decide(seen).because); }
  Reason refusal() const { return decide(seen).refusal.value().reason; }

  Observation seen = all_is_well();
};

TEST_F(Questions, FindNothingToDoWhereAllIsWell) {
  EXPECT_EQ(action(), Action::Nothing);
  EXPECT_EQ(why_token(seen), "");
  EXPECT_TRUE(token_usable(seen));
}

TEST_F(Questions, LeaveAnIdentityAloneThatIsBeingDeleted) {
  seen.identity.metadata.deleting = true;
  seen.secret = std::optional<TokenSecret>();
  EXPECT_TRUE(being_deleted(seen));
  EXPECT_EQ(action(), Action::Nothing);
}

TEST_F(Questions, RefuseASpecThatCannotBeUsed) {
  seen.desired = base::Unexpected{catalogue::Failure{Reason::HostNotAllowed, "evil.test"}};
  seen.secret = std::optional<TokenSecret>();
  EXPECT_TRUE(spec_unusable(seen));
  EXPECT_EQ(action(), Action::Refuse);
  EXPECT_EQ(refusal(), Reason::HostNotAllowed);
}

TEST_F(Questions, DoNothingWhileTheSecretIsNotKnown) {
  seen.secret = base::Unexpected{catalogue::Failure{Reason::KubernetesUnavailable, "forbidden"}};
  EXPECT_TRUE(secret_unreadable(seen));
  EXPECT_EQ(refusal(), Reason::KubernetesUnavailable);
}

TEST_F(Questions, NeverTouchASecretOfSomebodyElse) {
  (*seen.secret)->ours = false;
  (*seen.secret)->owner = "MailIdentity billing with uid old";
  (*seen.secret)->token.reset();
  EXPECT_TRUE(secret_not_ours(seen));
  EXPECT_EQ(action(), Action::Refuse);
  EXPECT_EQ(refusal(), Reason::SecretConflict);
  EXPECT_THAT(decide(seen).refusal->context,
              testing::HasSubstr("controlled by MailIdentity billing with uid old"));
}

TEST_F(Questions, WantATokenWhereThereIsNoSecret) {
  seen.secret = std::optional<TokenSecret>();
  give_credential(seen);
  EXPECT_TRUE(secret_missing(seen));
  EXPECT_EQ(action(), Action::FetchToken);
  EXPECT_EQ(because(), "secret_missing");
}

TEST_F(Questions, WantATokenWhereSomebodyChangedIt) {
  (*seen.secret)->token.reset();
  give_credential(seen);
  EXPECT_TRUE(token_altered(seen));
  EXPECT_EQ(because(), "token_altered");
}

TEST_F(Questions, WantATokenWhereTheSpecAsksForAnother) {
  stored_token(seen).request = "0123456789abcdef";
  give_credential(seen);
  EXPECT_TRUE(request_changed(seen));
  EXPECT_FALSE(token_usable(seen));
  EXPECT_EQ(because(), "request_changed");
}

TEST_F(Questions, WantATokenOnANewRefreshAnnotationOnce) {
  seen.identity.metadata.annotations.emplace("mailidentity.io/refresh", "now");
  give_credential(seen);
  EXPECT_TRUE(refresh_asked(seen));
  EXPECT_EQ(because(), "refresh_asked");
  stored_token(seen).refresh = seen.refresh();
  EXPECT_EQ(action(), Action::Nothing);
}

TEST_F(Questions, DoNotMindARefreshAnnotationThatWentAway) {
  stored_token(seen).refresh = "0123456789abcdef";
  EXPECT_FALSE(refresh_asked(seen));
}

TEST_F(Questions, DistrustATokenFromTheFuture) {
  seen.now -= hours(2);
  give_credential(seen);
  EXPECT_TRUE(token_from_the_future(seen));
  EXPECT_EQ(because(), "token_from_the_future");
}

TEST_F(Questions, AllowClocksToDifferALittle) {
  seen.now = stored_token(seen).issued - minutes(1);
  EXPECT_FALSE(token_from_the_future(seen));
  EXPECT_EQ(action(), Action::Nothing);
}

TEST_F(Questions, WantATokenAfterHalfOfItsLife) {
  seen.now += minutes(24);
  give_credential(seen);
  EXPECT_TRUE(token_due(seen));
  EXPECT_FALSE(token_expired(seen));
  EXPECT_EQ(because(), "token_due");
}

TEST_F(Questions, WantATokenWhereItsLifeIsOver) {
  seen.now += minutes(50);
  give_credential(seen);
  EXPECT_TRUE(token_expired(seen));
  EXPECT_FALSE(token_usable(seen));
  EXPECT_EQ(because(), "token_expired");
}

TEST_F(Questions, DoNotAskInALoopForTokensThatHardlyLive) {
  stored_token(seen).issued = seen.now;
  stored_token(seen).expires = seen.now;
  EXPECT_FALSE(token_expired(seen));
  EXPECT_FALSE(token_due(seen));
  EXPECT_EQ(action(), Action::Nothing);
  EXPECT_EQ(next_look(seen), kShortestLife);
}

TEST_F(Questions, RefuseWhileTheCredentialIsMissing) {
  seen.secret = std::optional<TokenSecret>();
  seen.credential = base::Unexpected{catalogue::Failure{Reason::CredentialKeyMissing, "key client-secret"}};
  EXPECT_TRUE(credential_missing(seen));
  EXPECT_EQ(refusal(), Reason::CredentialKeyMissing);
}

TEST_F(Questions, LookAgainAtOnceWhereATokenBecameDueMeanwhileAndTheCredentialWasNotRead) {
  seen.now += minutes(35);
  EXPECT_EQ(action(), Action::Wait);
  EXPECT_EQ(next_look(seen), kShortestLook);
}

TEST_F(Questions, WriteSettingsThatChangedWithTheTokenThatIsThere) {
  (*seen.secret)->settings = "{}";
  EXPECT_TRUE(settings_changed(seen));
  EXPECT_EQ(action(), Action::WriteSettings);
}

TEST_F(Questions, WriteSettingsEvenWhileATokenEndpointIsWaitedFor) {
  seen.now += minutes(30);
  give_credential(seen);
  seen.last_failure = just_failed(seen, token_attempt(seen), "TokenEndpointTimeout");
  EXPECT_EQ(action(), Action::Wait);
  (*seen.secret)->settings = "{}";
  EXPECT_EQ(action(), Action::WriteSettings);
}

TEST_F(Questions, WaitOutAFailure) {
  seen.secret = std::optional<TokenSecret>();
  give_credential(seen);
  seen.last_failure = just_failed(seen, token_attempt(seen), "InvalidClient");
  EXPECT_EQ(action(), Action::Wait);
  seen.now += minutes(1);
  EXPECT_EQ(action(), Action::FetchToken);
}

TEST_F(Questions, EndTheWaitingWhereTheCredentialChanged) {
  seen.secret = std::optional<TokenSecret>();
  give_credential(seen, "v1");
  seen.last_failure = just_failed(seen, token_attempt(seen), "InvalidClient");
  give_credential(seen, "v2");
  EXPECT_EQ(action(), Action::FetchToken);
}

TEST_F(Questions, EndTheWaitingOnANewRefreshAnnotation) {
  seen.secret = std::optional<TokenSecret>();
  give_credential(seen);
  seen.last_failure = just_failed(seen, token_attempt(seen), "InvalidClient");
  seen.identity.metadata.annotations.emplace("mailidentity.io/refresh", "now");
  EXPECT_EQ(action(), Action::FetchToken);
}

TEST_F(Questions, DoNotWaitForATimeFromBeforeTheClockWasSetBack) {
  seen.secret = std::optional<TokenSecret>();
  give_credential(seen);
  seen.last_failure = just_failed(seen, token_attempt(seen), "InvalidClient");
  seen.now -= hours(5);
  EXPECT_EQ(action(), Action::FetchToken);
}

TEST_F(Questions, VerifyTheLoginOncePerGeneration) {
  seen.identity.metadata.generation = 4;
  EXPECT_TRUE(login_unverified(seen));
  EXPECT_EQ(action(), Action::VerifyLogin);
  seen.identity.status.conditions[0].observed_generation = 4;
  EXPECT_EQ(action(), Action::Nothing);
}

TEST_F(Questions, TryARefusedLoginAgainLaterAndAtOnceWithANewToken) {
  seen.identity.status.conditions[0].status = api::ConditionStatus::False;
  seen.last_failure = just_failed(seen, login_attempt(seen), "LoginRejected");
  EXPECT_EQ(action(), Action::Wait);
  EXPECT_EQ(because(), "login_unverified");
  stored_token(seen).issued += minutes(1);
  EXPECT_EQ(action(), Action::VerifyLogin);
}

TEST_F(Questions, DoNotVerifyALoginWithATokenThatIsOver) {
  seen.identity.metadata.generation = 4;
  seen.now += hours(1);
  EXPECT_FALSE(login_unverified(seen));
}

TEST_F(Questions, LookAgainWhenTheTokenIsDueOrAfterTenMinutes) {
  EXPECT_EQ(next_look(seen), kLongestWait);
  const auto due = refresh_time(stored_token(seen), seen.hash);
  seen.now = due - minutes(3);
  EXPECT_EQ(next_look(seen), minutes(3));
}

TEST_F(Questions, LookOnceAMinuteWhileACredentialFails) {
  seen.secret = std::optional<TokenSecret>();
  give_credential(seen);
  seen.last_failure = just_failed(seen, token_attempt(seen), "InvalidClient");
  seen.last_failure->retry_time = seen.now + minutes(10);
  EXPECT_EQ(next_look(seen), kCredentialLook);
  seen.last_failure->retry_time = seen.now + seconds(20);
  EXPECT_EQ(next_look(seen), seconds(20));
}

TEST_F(Questions, LookWhenTheTokenEndsToSaySo) {
  seen.now = stored_token(seen).expires - seconds(5);
  give_credential(seen);
  seen.last_failure = just_failed(seen, token_attempt(seen), "TokenEndpointTimeout");
  EXPECT_EQ(next_look(seen), seconds(5));
}

TEST(Desired, HasTheOperatorsRootsBesideTheSpecs) {
  auto seen = all_is_well();
  Settings settings;
  settings.allowed_hosts = oauth::AllowedHosts({"*.contoso.test"});
  settings.token_ca = "TOKEN-CA";
  settings.smtp_ca = "SMTP-CA";
  seen.identity.spec->smtp.ca_bundle = "OWN-CA";
  const auto wish = desired(seen.identity, settings);
  ASSERT_TRUE(wish);
  EXPECT_EQ(wish->resolved.identity.ca_bundle, "OWN-CA\nSMTP-CA");
  EXPECT_EQ(wish->resolved.request.ca_bundle, "TOKEN-CA");
}

TEST(Desired, RefusesSettingsThatNoSidecarCouldRead) {
  const auto seen = all_is_well();
  Settings settings;
  settings.allowed_hosts = oauth::AllowedHosts({"*.contoso.test"});
  settings.smtp_ca = std::string(70'000, 'x');
  const auto wish = desired(seen.identity, settings);
  ASSERT_FALSE(wish);
  EXPECT_EQ(wish.error().reason, Reason::InvalidSpec);
}

TEST(Desired, SendsNothingToHostsThatAreNotAllowed) {
  const auto seen = all_is_well();
  const auto wish = desired(seen.identity, Settings{});
  ASSERT_FALSE(wish);
  EXPECT_EQ(wish.error().reason, Reason::HostNotAllowed);
}

TEST(Desired, IsTheSameRequestWhereOnlySendersChange) {
  auto seen = all_is_well();
  Settings settings;
  settings.allowed_hosts = oauth::AllowedHosts({"*.contoso.test"});
  seen.identity.spec->senders = {"*@contoso.test"};
  const auto wish = desired(seen.identity, settings);
  EXPECT_EQ(wish->request, seen.desired->request);
  EXPECT_NE(wish->settings, seen.desired->settings);
}

}  // namespace
}  // namespace mailid::reconcile
