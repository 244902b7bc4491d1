#include <algorithm>
#include <set>
#include <stdexcept>

#include "tests/unit/operator/reconcile/world.hpp"

namespace mailid::reconcile {
namespace {

using catalogue::Reason;
using testing::HasSubstr;
using testing::Not;

/// Hours of an operator with its informer, queue and workers, in milliseconds.
class Life : public WorldTest {
 protected:
  void everything_is_there() {
    create_credential();
    create_identity();
    start_operator();
  }
  /// Identities `i0`, `i1` and so on.
  void many_are_there(int count) {
    create_credential();
    for (int i = 0; i < count; ++i) create_identity("i" + std::to_string(i), spec());
    start_operator();
  }
  void relay_hangs() {
    relay_.wait = [this] { return timer_.wait_for(seconds(15)); };
    relay_.failure = catalogue::Failure{Reason::RelayTimeout, "smtp.contoso.test:587"};
  }
};

TEST_F(Life, RotatesATokenOfAnHourAboutEveryHalfHour) {
  everything_is_there();
  pass(hours(10));
  // 20 and no more or less than the jitter of a twentieth explains.
  EXPECT_GE(endpoint_.calls.size(), 19U);
  EXPECT_LE(endpoint_.calls.size(), 23U);
  EXPECT_EQ(endpoint_.calls.size(), static_cast<std::size_t>(endpoint_.given));
  EXPECT_EQ(token(), "token-" + std::to_string(endpoint_.given));
  EXPECT_EQ(relay_.logins.size(), 1U);
}

TEST_F(Life, NeverLeavesATokenInTheSecretThatIsOver) {
  endpoint_.life = seconds(120);
  everything_is_there();
  for (int i = 0; i < 3'000; ++i) {
    pass(seconds(1));
    ASSERT_GT(*base::parse_rfc3339(secret_value("expires-at")), clock_.now());
  }
  EXPECT_GE(endpoint_.calls.size(), 45U);
  EXPECT_LE(endpoint_.calls.size(), 58U);
}

TEST_F(Life, IsQuietBetweenRotations) {
  everything_is_there();
  pass(seconds(5));
  const auto written = cluster_.count("APPLY");
  const auto requests = cluster_.requests.size();
  pass(minutes(25));
  EXPECT_EQ(cluster_.count("APPLY"), written);
  EXPECT_LE(cluster_.requests.size() - requests, 6U);
}

TEST_F(Life, MakesNoCallAtARestartWhileTheTokenIsFresh) {
  everything_is_there();
  new_calls();
  for (int i = 0; i < 20; ++i) {
    restart_operator();
    pass(minutes(1));
  }
  EXPECT_EQ(new_calls(), 0U);
  EXPECT_EQ(relay_.logins.size(), 1U);
}

TEST_F(Life, RotatesAtTheSameMomentWithAndWithoutRestarts) {
  everything_is_there();
  const auto next = status()["token"]["nextRefreshTime"].get<std::string>();
  pass(minutes(10));
  restart_operator();
  pass(minutes(25));
  ASSERT_EQ(endpoint_.calls.size(), 2U);
  EXPECT_LE(endpoint_.calls[1].when - *base::parse_rfc3339(next), seconds(2));
}

TEST_F(Life, ComesUpInWhateverOrderThingsAreCreated) {
  start_operator();
  create_identity();
  pass(minutes(3));
  EXPECT_EQ(condition("Ready"), "False CredentialMissing");
  create_credential();
  pass(seconds(70));
  EXPECT_EQ(condition("Ready"), "True Ready");
}

TEST_F(Life, ComesUpSoonWhereTheCredentialIsCreatedJustAfterTheIdentity) {
  start_operator();
  create_identity();
  pass(seconds(1));
  create_credential();
  pass(seconds(3));
  EXPECT_EQ(condition("Ready"), "True Ready");
}

TEST_F(Life, ReadsAWrongCredentialOnceAMinuteUntilItIsPutRight) {
  endpoint_.secrets["app-1"] = "new";
  everything_is_there();
  pass(hours(2));
  const auto calls = new_calls();
  EXPECT_GE(calls, 10U);
  EXPECT_LE(calls, 20U);
  create_credential("new");
  pass(seconds(66));
  EXPECT_EQ(new_calls(), 1U);
  EXPECT_EQ(condition("Ready"), "True Ready");
}

TEST_F(Life, OutlivesAnOutageOfTheEndpointWithoutARestart) {
  everything_is_there();
  pass(minutes(20));
  endpoint_.down = Reason::TokenEndpointUnreachable;
  pass(minutes(35));
  EXPECT_EQ(condition("Ready"), "True Ready");
  EXPECT_EQ(condition("TokenFresh"), "False TokenEndpointUnreachable");
  pass(minutes(20));
  EXPECT_EQ(condition("Ready"), "False TokenEndpointUnreachable");
  EXPECT_EQ(token(), "token-1");
  endpoint_.down.reset();
  pass(minutes(6));
  EXPECT_EQ(condition("Ready"), "True Ready");
  EXPECT_EQ(token(), "token-2");
}

TEST_F(Life, SaysSoWithinSecondsWhenATokenIsOver) {
  everything_is_there();
  pass(minutes(20));
  endpoint_.down = Reason::TokenEndpointUnreachable;
  pass(minutes(40) + seconds(2));
  EXPECT_EQ(condition("TokenIssued"), "False TokenEndpointUnreachable");
}

TEST_F(Life, ObeysRetryAfter) {
  endpoint_.fail_once(Reason::TokenEndpointThrottled, seconds(600));
  everything_is_there();
  pass(seconds(595));
  EXPECT_EQ(endpoint_.calls.size(), 1U);
  pass(seconds(15));
  EXPECT_EQ(endpoint_.calls.size(), 2U);
  EXPECT_EQ(condition("Ready"), "True Ready");
}

TEST_F(Life, HoldsOthersBackForAWhileWhenAnEndpointAsksForIt) {
  endpoint_.fail_once(Reason::TokenEndpointThrottled, seconds(30));
  everything_is_there();
  create_identity("reports", spec());
  pass(seconds(25));
  EXPECT_EQ(endpoint_.calls.size(), 1U);
  pass(seconds(15));
  EXPECT_EQ(condition("Ready", "reports"), "True Ready");
}

TEST_F(Life, KeepsFiveIdentitiesApart) {
  create_credential();
  start_operator();
  for (const auto* name : {"a", "b", "c", "d", "e"}) create_identity(name, spec());
  pass(hours(3));
  std::set<std::string> tokens;
  for (const auto* name : {"a", "b", "c", "d", "e"}) {
    EXPECT_EQ(condition("Ready", name), "True Ready");
    tokens.insert(token(name));
  }
  EXPECT_EQ(tokens.size(), 5U);
  EXPECT_LE(endpoint_.calls.size(), 5U * 7);
}

TEST_F(Life, DoesNotRefreshIdentitiesTogetherThatWereMadeTogether) {
  create_credential();
  start_operator();
  for (int i = 0; i < 30; ++i) create_identity("i" + std::to_string(i), spec());
  pass(minutes(26));
  new_calls();
  std::size_t most = 0;
  for (int i = 0; i < 8; ++i) {
    pass(minutes(1));
    most = std::max(most, new_calls());
  }
  EXPECT_LT(most, 15U);
}

TEST_F(Life, SurvivesHundredsOfIdentitiesAtOnceWithinTheEndpointsLimits) {
  many_are_there(300);
  pass(seconds(5));
  EXPECT_LE(endpoint_.calls.size(), 20U + 5 * 10 + 10);
  pass(seconds(60));
  EXPECT_EQ(endpoint_.calls.size(), 300U);
}

TEST_F(Life, LetsNobodyWaitForATokenBecauseARelayHangs) {
  relay_hangs();
  many_are_there(48);
  pass(seconds(20));
  for (int i = 0; i < 48; ++i) {
    ASSERT_EQ(condition("TokenIssued", "i" + std::to_string(i)), "True TokenIssued") << i;
  }
  EXPECT_LE(relay_.logins.size(), 8U);
  relay_.wait = nullptr;
  relay_.failure.reset();
  pass(minutes(15));
  for (int i = 0; i < 48; ++i) {
    ASSERT_EQ(condition("LoginVerified", "i" + std::to_string(i)), "True LoginVerified") << i;
  }
}

TEST_F(Life, RefreshesTokensInTimeWhileLoginsWaitForTheirTurn) {
  endpoint_.life = minutes(5);
  relay_hangs();
  many_are_there(40);
  pass(seconds(40));
  for (int minute = 0; minute < 20; ++minute) {
    pass(minutes(1));
    for (int i = 0; i < 40; i += 3) {
      const auto expires = secret_value("expires-at", "i" + std::to_string(i));
      ASSERT_GT(*base::parse_rfc3339(expires), clock_.now()) << "identity " << i << " in minute " << minute;
    }
  }
}

TEST_F(Life, RepairsADeletedSecretAtTheNextLook) {
  everything_is_there();
  cluster_.erase(secret_path("billing-mail-token"));
  pass(kLongestWait + seconds(1));
  EXPECT_EQ(token(), "token-2");
  EXPECT_EQ(condition("Ready"), "True Ready");
}

TEST_F(Life, ForgetsAnIdentityThatIsDeleted) {
  everything_is_there();
  cluster_.erase(identity_path("billing"));
  pass(seconds(1));
  EXPECT_THAT(metrics_->render(), Not(HasSubstr("name=\"billing\"")));
  const auto requests = cluster_.requests.size();
  pass(hours(3));
  EXPECT_LE(cluster_.requests.size() - requests, 1U);
}

TEST_F(Life, GoesOnWhenTheClockIsSetForward) {
  everything_is_there();
  pass(minutes(5));
  clock_.time += hours(5);
  pass(kLongestWait);
  EXPECT_EQ(token(), "token-2");
  EXPECT_EQ(condition("Ready"), "True Ready");
}

TEST_F(Life, FetchesOnceMoreWhenTheClockIsSetBack) {
  everything_is_there();
  pass(minutes(5));
  clock_.time -= hours(5);
  pass(kLongestWait);
  EXPECT_EQ(token(), "token-2");
  pass(minutes(10));
  EXPECT_EQ(endpoint_.calls.size(), 2U);
}

TEST_F(Life, KeepsTryingALoginThatExchangeDoesNotKnowYet) {
  relay_.failure = catalogue::Failure{Reason::LoginRejected, "535"};
  everything_is_there();
  pass(hours(1));
  EXPECT_EQ(condition("Ready"), "False LoginRejected");
  EXPECT_LE(relay_.logins.size(), 16U);
  relay_.failure.reset();
  pass(minutes(11));
  EXPECT_EQ(condition("Ready"), "True Ready");
}

TEST_F(Life, RefreshesAtOnceOnTheAnnotation) {
  everything_is_there();
  pass(minutes(1));
  ask_refresh("2026-11-24");
  pass(seconds(1));
  EXPECT_EQ(token(), "token-2");
  pass(minutes(10));
  EXPECT_EQ(endpoint_.calls.size(), 2U);
}

TEST_F(Life, OutlivesAnOutageOfTheApiServer) {
  everything_is_there();
  pass(minutes(20));
  cluster_.fail("/", 503, "ServiceUnavailable");
  pass(minutes(30));
  cluster_.heal();
  pass(minutes(2));
  EXPECT_EQ(token(), "token-2");
  EXPECT_EQ(endpoint_.calls.size(), 2U);
}

TEST_F(Life, PaysForATokenOnceEvenWhereItCannotBeWrittenForAWhile) {
  create_credential();
  create_identity();
  cluster_.fail("POST", 500, "InternalError");
  start_operator();
  pass(minutes(10));
  cluster_.heal();
  pass(minutes(2));
  EXPECT_EQ(token(), "token-1");
  EXPECT_EQ(endpoint_.calls.size(), 1U);
}

TEST_F(Life, SurvivesABugInOneReconcile) {
  create_credential();
  create_identity();
  create_identity("other", spec());
  endpoint_.before_answer = [this] {
    if (endpoint_.calls.size() == 1) throw std::runtime_error("a bug");
  };
  start_operator();
  pass(seconds(5));
  EXPECT_EQ(condition("Ready"), "True Ready");
  EXPECT_EQ(condition("Ready", "other"), "True Ready");
  EXPECT_EQ(metrics_->value(kReconcilePanicsMetric, {{"controller", "mailidentity"}}), 1);
  EXPECT_THAT(logged_, HasSubstr("a bug"));
}

}  // namespace
}  // namespace mailid::reconcile
