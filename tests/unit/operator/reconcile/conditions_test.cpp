#include "operator/reconcile/conditions.hpp"

#include <gmock/gmock.h>

#include "operator/reconcile/last_failure.hpp"
#include "tests/unit/operator/reconcile/observation.hpp"

namespace mailid::reconcile {
namespace {

using catalogue::Failure;
using catalogue::Reason;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

class Conditions : public testing::Test {
 protected:
  api::Condition condition(std::string_view type) const {
    return *api::find_condition(status().conditions, type);
  }
  api::Status status() const { return status_of(seen_, trouble_); }
  std::string shown(std::string_view type) const {
    const auto found = condition(type);
    return std::string(api::to_string(found.status)) + " " + found.reason;
  }
  void login(const catalogue::Result<base::Done>& result) {
    api::set_condition(seen_.identity.status.conditions, login_condition(seen_, result), seen_.now);
  }

  Observation seen_ = all_is_well();
  std::optional<Failure> trouble_;
};

TEST_F(Conditions, AreAllTrueWhereAllIsWell) {
  EXPECT_EQ(shown("Ready"), "True Ready");
  EXPECT_EQ(shown("TokenIssued"), "True TokenIssued");
  EXPECT_EQ(shown("TokenFresh"), "True TokenFresh");
  EXPECT_EQ(shown("LoginVerified"), "True LoginVerified");
}

TEST_F(Conditions, SayOfWhichGenerationTheyAre) {
  EXPECT_EQ(status().observed_generation, 3);
  for (const auto& each : status().conditions) EXPECT_EQ(each.observed_generation, 3) << each.type;
}

TEST_F(Conditions, KeepReadyWhileTheOldTokenLives) {
  seen_.now += minutes(40);
  trouble_ = Failure{Reason::TokenEndpointUnavailable, "HTTP 503"};
  EXPECT_EQ(shown("Ready"), "True Ready");
  EXPECT_EQ(shown("TokenIssued"), "True TokenIssued");
  EXPECT_EQ(shown("TokenFresh"), "False TokenEndpointUnavailable");
  EXPECT_THAT(condition("TokenFresh").message, HasSubstr("HTTP 503"));
}

TEST_F(Conditions, AreNotReadyOnceTheOldTokenIsOver) {
  seen_.now += hours(1);
  trouble_ = Failure{Reason::InvalidClient, "invalid_client"};
  EXPECT_EQ(shown("Ready"), "False InvalidClient");
  EXPECT_EQ(shown("TokenIssued"), "False InvalidClient");
}

TEST_F(Conditions, KeepTheWordsOfAFailureThatIsWaitedOut) {
  seen_.now += minutes(40);
  give_credential(seen_);
  trouble_ = Failure{Reason::InvalidClient, "AADSTS7000222"};
  seen_.identity.status = status();
  seen_.last_failure = just_failed(seen_, token_attempt(seen_), "InvalidClient");
  trouble_.reset();
  EXPECT_EQ(shown("TokenFresh"), "False InvalidClient");
  EXPECT_THAT(condition("TokenFresh").message, HasSubstr("AADSTS7000222"));
}

TEST_F(Conditions, CountATokenOfAnEarlierSpecForNothingAndSaySo) {
  stored_token(seen_).request = "0123456789abcdef";
  trouble_ = Failure{Reason::CredentialMissing, "Secret app"};
  EXPECT_EQ(shown("Ready"), "False CredentialMissing");
  EXPECT_EQ(shown("TokenIssued"), "False CredentialMissing");
  EXPECT_THAT(condition("TokenIssued").message, HasSubstr("Until 2026-11-24T00:50:00Z pods go on"));
}

TEST_F(Conditions, NameTheHostThatIsNotAllowed) {
  seen_.desired = base::Unexpected{Failure{Reason::HostNotAllowed, "evil.test"}};
  seen_.identity.metadata.generation = 4;
  trouble_ = seen_.desired.error();
  EXPECT_EQ(shown("Ready"), "False HostNotAllowed");
  EXPECT_EQ(shown("LoginVerified"), "Unknown HostNotAllowed");
  EXPECT_THAT(condition("Ready").message, HasSubstr("evil.test"));
}

TEST_F(Conditions, HoldReadyBackWhereTheRelayRefusesTheLogin) {
  login(base::Unexpected{Failure{Reason::LoginRejected, "535 5.7.3"}});
  EXPECT_EQ(shown("LoginVerified"), "False LoginRejected");
  EXPECT_EQ(shown("Ready"), "False LoginRejected");
  EXPECT_EQ(shown("TokenIssued"), "True TokenIssued");
}

TEST_F(Conditions, DoNotHoldReadyBackWhereTheRelayIsOutOfOurReach) {
  for (const auto reason : {Reason::RelayUnreachable, Reason::RelayTimeout, Reason::RelayClosed}) {
    login(base::Unexpected{Failure{reason, ""}});
    EXPECT_THAT(shown("LoginVerified"), HasSubstr("Unknown Relay"));
    EXPECT_EQ(shown("Ready"), "True Ready");
  }
  EXPECT_THAT(condition("Ready").message, HasSubstr("could not verify the login"));
}

TEST_F(Conditions, ForgetALoginOfAnEarlierGeneration) {
  seen_.identity.metadata.generation = 4;
  EXPECT_EQ(shown("LoginVerified"), "Unknown LoginNotTried");
}

TEST_F(Conditions, ChangeTheirTimeOnlyWithTheirStatus) {
  seen_.identity.status = status();
  const auto before = condition("Ready").last_transition_time;
  seen_.now += minutes(5);
  EXPECT_EQ(condition("Ready").last_transition_time, before);
  seen_.now += hours(1);
  trouble_ = Failure{Reason::InvalidClient, ""};
  EXPECT_EQ(condition("Ready").last_transition_time, seen_.now);
}

TEST_F(Conditions, AreUnknownWhereTheSecretCouldNeverBeRead) {
  seen_.secret = base::Unexpected{Failure{Reason::KubernetesUnavailable, "forbidden"}};
  trouble_ = seen_.secret.error();
  EXPECT_EQ(shown("Ready"), "Unknown KubernetesUnavailable");
}

TEST_F(Conditions, StayAsTheyWereWhereTheSecretCannotBeReadForOnce) {
  seen_.identity.status = status();
  seen_.secret = base::Unexpected{Failure{Reason::KubernetesUnavailable, "timeout"}};
  trouble_ = seen_.secret.error();
  EXPECT_EQ(shown("Ready"), "True Ready");
  EXPECT_EQ(shown("TokenFresh"), "False KubernetesUnavailable");
  EXPECT_TRUE(status().token.has_value());
}

TEST_F(Conditions, StandBesideWhenTheTokenComesAndGoes) {
  const auto token = status().token.value();
  EXPECT_EQ(token.secret_name, "billing-mail-token");
  EXPECT_EQ(token.issue_time, stored_token(seen_).issued);
  EXPECT_EQ(token.expiration_time, stored_token(seen_).expires);
  EXPECT_LT(*token.next_refresh_time, *token.expiration_time);
  EXPECT_EQ(status().provider, "OAuth2");
}

class LastFailure : public Conditions {
 protected:
  api::LastFailure fail(Reason reason, const std::string& attempt, std::optional<seconds> retry_after = {}) {
    seen_.last_failure = noted(seen_, {Attempt::TokenRequest, attempt, {reason, ""}, retry_after});
    return *seen_.last_failure;
  }
};

TEST_F(LastFailure, CountsTheSameTry) {
  EXPECT_EQ(fail(Reason::InvalidClient, "a").count, 1U);
  EXPECT_EQ(fail(Reason::TokenEndpointTimeout, "a").count, 2U);
  EXPECT_EQ(fail(Reason::TokenEndpointTimeout, "b").count, 1U);
}

TEST_F(LastFailure, ObeysRetryAfterInFull) {
  EXPECT_EQ(fail(Reason::TokenEndpointThrottled, "a", hours(3)).retry_time, seen_.now + hours(3));
  EXPECT_GT(*fail(Reason::TokenEndpointThrottled, "b", seconds(0)).retry_time, seen_.now + seconds(3));
}

TEST_F(LastFailure, HasNoRetryTimeWhereOnlyAChangeHelps) {
  EXPECT_FALSE(fail(Reason::HostNotAllowed, "a").retry_time);
}

TEST_F(LastFailure, IsOfWholeSecondsAsTheApiServerKeepsThem) {
  seen_.now += base::Duration(123);
  const auto failure = fail(Reason::InvalidClient, "a");
  EXPECT_EQ(failure.time, std::chrono::floor<seconds>(failure.time));
  EXPECT_EQ(*failure.retry_time, std::chrono::floor<seconds>(*failure.retry_time));
}

}  // namespace
}  // namespace mailid::reconcile
