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
  Action action() const { return decide(seen_).action; }
  std::string because() const { return std::string(decide(seen_).because); }
  Reason refusal() const { return decide(seen_).refusal.value().reason; }

  Observation seen_ = all_is_well();
};

TEST_F(Questions, FindNothingToDoWhereAllIsWell) {
  EXPECT_EQ(action(), Action::Nothing);
  EXPECT_EQ(why_token(seen_), "");
  EXPECT_TRUE(token_usable(seen_));
}

TEST_F(Questions, LeaveAnIdentityAloneThatIsBeingDeleted) {
  seen_.identity.metadata.deleting = true;
  seen_.secret = std::optional<TokenSecret>();
  EXPECT_TRUE(being_deleted(seen_));
  EXPECT_EQ(action(), Action::Nothing);
}

TEST_F(Questions, RefuseASpecThatCannotBeUsed) {
  seen_.desired = base::Unexpected{catalogue::Failure{Reason::HostNotAllowed, "evil.test"}};
  seen_.secret = std::optional<TokenSecret>();
  EXPECT_TRUE(spec_unusable(seen_));
  EXPECT_EQ(action(), Action::Refuse);
  EXPECT_EQ(refusal(), Reason::HostNotAllowed);
}

TEST_F(Questions, DoNothingWhileTheSecretIsNotKnown) {
  seen_.secret = base::Unexpected{catalogue::Failure{Reason::KubernetesUnavailable, "forbidden"}};
  EXPECT_TRUE(secret_unreadable(seen_));
  EXPECT_EQ(refusal(), Reason::KubernetesUnavailable);
}

TEST_F(Questions, NeverTouchASecretOfSomebodyElse) {
  (*seen_.secret)->ours = false;
  (*seen_.secret)->owner = "MailIdentity billing with uid old";
  (*seen_.secret)->token.reset();
  EXPECT_TRUE(secret_not_ours(seen_));
  EXPECT_EQ(action(), Action::Refuse);
  EXPECT_EQ(refusal(), Reason::SecretConflict);
  EXPECT_THAT(decide(seen_).refusal->context,
              testing::HasSubstr("controlled by MailIdentity billing with uid old"));
}

TEST_F(Questions, WantATokenWhereThereIsNoSecret) {
  seen_.secret = std::optional<TokenSecret>();
  give_credential(seen_);
  EXPECT_TRUE(secret_missing(seen_));
  EXPECT_EQ(action(), Action::FetchToken);
  EXPECT_EQ(because(), "secret_missing");
}

TEST_F(Questions, WantATokenWhereSomebodyChangedIt) {
  (*seen_.secret)->token.reset();
  give_credential(seen_);
  EXPECT_TRUE(token_altered(seen_));
  EXPECT_EQ(because(), "token_altered");
}

TEST_F(Questions, WantATokenWhereTheSpecAsksForAnother) {
  stored_token(seen_).request = "0123456789abcdef";
  give_credential(seen_);
  EXPECT_TRUE(request_changed(seen_));
  EXPECT_FALSE(token_usable(seen_));
  EXPECT_EQ(because(), "request_changed");
}

TEST_F(Questions, WantATokenOnANewRefreshAnnotationOnce) {
  seen_.identity.metadata.annotations.emplace("mailidentity.io/refresh", "now");
  give_credential(seen_);
  EXPECT_TRUE(refresh_asked(seen_));
  EXPECT_EQ(because(), "refresh_asked");
  stored_token(seen_).refresh = seen_.refresh();
  EXPECT_EQ(action(), Action::Nothing);
}

TEST_F(Questions, DoNotMindARefreshAnnotationThatWentAway) {
  stored_token(seen_).refresh = "0123456789abcdef";
  EXPECT_FALSE(refresh_asked(seen_));
}

TEST_F(Questions, DistrustATokenFromTheFuture) {
  seen_.now -= hours(2);
  give_credential(seen_);
  EXPECT_TRUE(token_from_the_future(seen_));
  EXPECT_EQ(because(), "token_from_the_future");
}

TEST_F(Questions, AllowClocksToDifferALittle) {
  seen_.now = stored_token(seen_).issued - minutes(1);
  EXPECT_FALSE(token_from_the_future(seen_));
  EXPECT_EQ(action(), Action::Nothing);
}

TEST_F(Questions, WantATokenAfterHalfOfItsLife) {
  seen_.now += minutes(24);
  give_credential(seen_);
  EXPECT_TRUE(token_due(seen_));
  EXPECT_FALSE(token_expired(seen_));
  EXPECT_EQ(because(), "token_due");
}

TEST_F(Questions, WantATokenWhereItsLifeIsOver) {
  seen_.now += minutes(50);
  give_credential(seen_);
  EXPECT_TRUE(token_expired(seen_));
  EXPECT_FALSE(token_usable(seen_));
  EXPECT_EQ(because(), "token_expired");
}

TEST_F(Questions, DoNotAskInALoopForTokensThatHardlyLive) {
  stored_token(seen_).issued = seen_.now;
  stored_token(seen_).expires = seen_.now;
  EXPECT_FALSE(token_expired(seen_));
  EXPECT_FALSE(token_due(seen_));
  EXPECT_EQ(action(), Action::Nothing);
  EXPECT_EQ(next_look(seen_), kShortestLife);
}

TEST_F(Questions, RefuseWhileTheCredentialIsMissing) {
  seen_.secret = std::optional<TokenSecret>();
  seen_.credential = base::Unexpected{catalogue::Failure{Reason::CredentialKeyMissing, "key client-secret"}};
  EXPECT_TRUE(credential_missing(seen_));
  EXPECT_EQ(refusal(), Reason::CredentialKeyMissing);
}

TEST_F(Questions, LookAgainAtOnceWhereATokenBecameDueMeanwhileAndTheCredentialWasNotRead) {
  seen_.now += minutes(35);
  EXPECT_EQ(action(), Action::Wait);
  EXPECT_EQ(next_look(seen_), kShortestLook);
}

TEST_F(Questions, WriteSettingsThatChangedWithTheTokenThatIsThere) {
  (*seen_.secret)->settings = "{}";
  EXPECT_TRUE(settings_changed(seen_));
  EXPECT_EQ(action(), Action::WriteSettings);
}

TEST_F(Questions, WriteSettingsEvenWhileATokenEndpointIsWaitedFor) {
  seen_.now += minutes(30);
  give_credential(seen_);
  seen_.last_failure = just_failed(seen_, token_attempt(seen_), "TokenEndpointTimeout");
  EXPECT_EQ(action(), Action::Wait);
  (*seen_.secret)->settings = "{}";
  EXPECT_EQ(action(), Action::WriteSettings);
}

TEST_F(Questions, WaitOutAFailure) {
  seen_.secret = std::optional<TokenSecret>();
  give_credential(seen_);
  seen_.last_failure = just_failed(seen_, token_attempt(seen_), "InvalidClient");
  EXPECT_EQ(action(), Action::Wait);
  seen_.now += minutes(1);
  EXPECT_EQ(action(), Action::FetchToken);
}

TEST_F(Questions, EndTheWaitingWhereTheCredentialChanged) {
  seen_.secret = std::optional<TokenSecret>();
  give_credential(seen_, "v1");
  seen_.last_failure = just_failed(seen_, token_attempt(seen_), "InvalidClient");
  give_credential(seen_, "v2");
  EXPECT_EQ(action(), Action::FetchToken);
}

TEST_F(Questions, EndTheWaitingOnANewRefreshAnnotation) {
  seen_.secret = std::optional<TokenSecret>();
  give_credential(seen_);
  seen_.last_failure = just_failed(seen_, token_attempt(seen_), "InvalidClient");
  seen_.identity.metadata.annotations.emplace("mailidentity.io/refresh", "now");
  EXPECT_EQ(action(), Action::FetchToken);
}

TEST_F(Questions, DoNotWaitForATimeFromBeforeTheClockWasSetBack) {
  seen_.secret = std::optional<TokenSecret>();
  give_credential(seen_);
  seen_.last_failure = just_failed(seen_, token_attempt(seen_), "InvalidClient");
  seen_.now -= hours(5);
  EXPECT_EQ(action(), Action::FetchToken);
}

TEST_F(Questions, VerifyTheLoginOncePerGeneration) {
  seen_.identity.metadata.generation = 4;
  EXPECT_TRUE(login_unverified(seen_));
  EXPECT_EQ(action(), Action::VerifyLogin);
  seen_.identity.status.conditions[0].observed_generation = 4;
  EXPECT_EQ(action(), Action::Nothing);
}

TEST_F(Questions, TryARefusedLoginAgainLaterAndAtOnceWithANewToken) {
  seen_.identity.status.conditions[0].status = api::ConditionStatus::False;
  seen_.last_failure = just_failed(seen_, login_attempt(seen_), "LoginRejected");
  EXPECT_EQ(action(), Action::Wait);
  EXPECT_EQ(because(), "login_unverified");
  stored_token(seen_).issued += minutes(1);
  EXPECT_EQ(action(), Action::VerifyLogin);
}

TEST_F(Questions, DoNotVerifyALoginWithATokenThatIsOver) {
  seen_.identity.metadata.generation = 4;
  seen_.now += hours(1);
  EXPECT_FALSE(login_unverified(seen_));
}

TEST_F(Questions, LookAgainWhenTheTokenIsDueOrAfterTenMinutes) {
  EXPECT_EQ(next_look(seen_), kLongestWait);
  const auto due = refresh_time(stored_token(seen_), seen_.hash);
  seen_.now = due - minutes(3);
  EXPECT_EQ(next_look(seen_), minutes(3));
}

TEST_F(Questions, LookOnceAMinuteWhileACredentialFails) {
  seen_.secret = std::optional<TokenSecret>();
  give_credential(seen_);
  seen_.last_failure = just_failed(seen_, token_attempt(seen_), "InvalidClient");
  seen_.last_failure->retry_time = seen_.now + minutes(10);
  EXPECT_EQ(next_look(seen_), kCredentialLook);
  seen_.last_failure->retry_time = seen_.now + seconds(20);
  EXPECT_EQ(next_look(seen_), seconds(20));
}

TEST_F(Questions, LookWhenTheTokenEndsToSaySo) {
  seen_.now = stored_token(seen_).expires - seconds(5);
  give_credential(seen_);
  seen_.last_failure = just_failed(seen_, token_attempt(seen_), "TokenEndpointTimeout");
  EXPECT_EQ(next_look(seen_), seconds(5));
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
