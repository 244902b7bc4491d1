#include "operator/reconcile/reconciler.hpp"

#include "tests/unit/operator/reconcile/world.hpp"

namespace mailid::reconcile {
namespace {

using catalogue::Reason;
using testing::HasSubstr;
using testing::Not;

class ReconcilerTest : public WorldTest {
 protected:
  void SetUp() override {
    create_credential();
    create_identity();
  }

  /// Another process each time: nothing is remembered but what is in the cluster.
  Outcome reconcile_after(base::Duration duration) {
    clock_.advance(duration);
    timer_.advance(duration);
    return reconcile_once();
  }
};

TEST_F(ReconcilerTest, PutsATokenAndTheSettingsIntoTheSecret) {
  reconcile_once();
  EXPECT_EQ(token(), "token-1");
  EXPECT_EQ(secret_value("expires-at"), "2026-11-24T01:00:00Z");
  EXPECT_THAT(secret_value("identity.v1.json"), HasSubstr("billing@contoso.test"));
  EXPECT_EQ(condition("Ready"), "True Ready");
  EXPECT_EQ(status()["token"]["secretName"], "billing-mail-token");
  EXPECT_FALSE(status().contains("lastFailure"));
}

TEST_F(ReconcilerTest, AsksTheRightEndpointWithTheCredential) {
  reconcile_once();
  ASSERT_EQ(endpoint_.calls.size(), 1U);
  EXPECT_EQ(endpoint_.calls[0].token_url, "https://login.contoso.test/token");
  EXPECT_EQ(endpoint_.calls[0].client_id, "app-1");
  EXPECT_EQ(endpoint_.calls[0].client_secret, "right");
}

TEST_F(ReconcilerTest, LogsInAtTheRelayWithTheToken) {
  reconcile_once();
  EXPECT_THAT(relay_.logins, testing::ElementsAre(std::pair("billing@contoso.test", "token-1")));
  EXPECT_EQ(condition("LoginVerified"), "True LoginVerified");
}

TEST_F(ReconcilerTest, ReadsSecretsByNameOnly) {
  reconcile_once();
  for (const auto& request : cluster_.requests) {
    EXPECT_THAT(request.line, Not(HasSubstr("DELETE")));
    EXPECT_THAT(request.line + "$", Not(HasSubstr("GET /api/v1/namespaces/shop/secrets$")));
  }
}

TEST_F(ReconcilerTest, WritesNothingWhereAllIsWell) {
  reconcile_once();
  const auto written = cluster_.count("POST") + cluster_.count("APPLY");
  const auto outcome = reconcile_after(minutes(1));
  EXPECT_EQ(cluster_.count("POST") + cluster_.count("APPLY"), written);
  EXPECT_EQ(endpoint_.calls.size(), 1U);
  EXPECT_EQ(relay_.logins.size(), 1U);
  EXPECT_EQ(outcome.after, kLongestWait);
}

TEST_F(ReconcilerTest, ReadsTheCredentialOnlyForARotation) {
  reconcile_once();
  reconcile_after(minutes(1));
  EXPECT_EQ(cluster_.count("GET " + secret_path("app")), 1U);
}

TEST_F(ReconcilerTest, RotatesWithTheCredentialOfTheMoment) {
  reconcile_once();
  create_credential("new");
  reconcile_after(minutes(35));
  EXPECT_EQ(token(), "token-2");
  EXPECT_EQ(endpoint_.calls.back().client_secret, "new");
}

TEST_F(ReconcilerTest, RewritesTheSettingsWithTheSameToken) {
  reconcile_once();
  cluster_.edit(identity_path("billing"),
                [](Json& object) { object["spec"]["senders"]["allowed"] = {"*@contoso.test"}; });
  reconcile_once();
  EXPECT_EQ(token(), "token-1");
  EXPECT_THAT(secret_value("identity.v1.json"), HasSubstr("*@contoso.test"));
  EXPECT_EQ(endpoint_.calls.size(), 1U);
  EXPECT_EQ(relay_.logins.size(), 2U);
}

TEST_F(ReconcilerTest, AsksForATokenWhereTheSpecWantsAnother) {
  reconcile_once();
  cluster_.edit(identity_path("billing"),
                [](Json& object) { object["spec"]["provider"]["oauth2"]["clientID"] = "app-2"; });
  reconcile_once();
  EXPECT_EQ(token(), "token-2");
  EXPECT_EQ(endpoint_.calls.back().client_id, "app-2");
}

TEST_F(ReconcilerTest, KeepsTokenAndSettingsTogetherWhereTheNewTokenCannotBeHad) {
  reconcile_once();
  cluster_.edit(identity_path("billing"), [](Json& object) {
    object["spec"]["provider"]["oauth2"]["clientID"] = "app-2";
    object["spec"]["smtp"]["host"] = "other.contoso.test";
  });
  endpoint_.fail_once(Reason::UnauthorizedClient);
  reconcile_once();
  EXPECT_EQ(token(), "token-1");
  EXPECT_THAT(secret_value("identity.v1.json"), Not(HasSubstr("other.contoso.test")));
  EXPECT_EQ(condition("Ready"), "False UnauthorizedClient");
}

TEST_F(ReconcilerTest, RefreshesAtOnceOnTheAnnotationAndOnlyOnce) {
  reconcile_once();
  ask_refresh("please");
  reconcile_once();
  reconcile_once();
  EXPECT_EQ(token(), "token-2");
  ask_refresh("again");
  reconcile_once();
  EXPECT_EQ(token(), "token-3");
}

TEST_F(ReconcilerTest, RepairsASecretThatSomebodyChanged) {
  reconcile_once();
  cluster_.edit(secret_path("billing-mail-token"),
                [](Json& object) { object["data"]["token"] = base::base64_encode("mine"); });
  reconcile_once();
  EXPECT_EQ(token(), "token-2");
}

TEST_F(ReconcilerTest, RepairsSettingsThatSomebodyChangedWithoutACall) {
  reconcile_once();
  const auto before = secret_value("identity.v1.json");
  cluster_.edit(secret_path("billing-mail-token"),
                [](Json& object) { object["data"]["identity.v1.json"] = base::base64_encode("{}"); });
  reconcile_once();
  EXPECT_EQ(secret_value("identity.v1.json"), before);
  EXPECT_EQ(endpoint_.calls.size(), 1U);
}

TEST_F(ReconcilerTest, NeverOverwritesASecretOfSomebodyElse) {
  put_secret("billing-mail-token", "token", "precious");
  reconcile_once();
  EXPECT_EQ(token(), "precious");
  EXPECT_EQ(condition("Ready"), "False SecretConflict");
  EXPECT_EQ(endpoint_.calls.size(), 0U);
}

TEST_F(ReconcilerTest, NeverOverwritesASecretThatComesInBetween) {
  endpoint_.after_commit = [this] { put_secret("billing-mail-token", "token", "precious"); };
  const auto outcome = reconcile_once();
  EXPECT_EQ(outcome.kind, Outcome::Kind::Retry);
  EXPECT_EQ(token(), "precious");
  reconcile_once();
  EXPECT_EQ(condition("Ready"), "False SecretConflict");
}

TEST_F(ReconcilerTest, DoesNotWriteIntoASecretThatChangedInBetween) {
  reconcile_once();
  endpoint_.after_commit = [this] {
    cluster_.edit(secret_path("billing-mail-token"),
                  [](Json& object) { object["metadata"].erase("ownerReferences"); });
  };
  const auto outcome = reconcile_after(minutes(35));
  EXPECT_EQ(outcome.kind, Outcome::Kind::Retry);
  EXPECT_EQ(token(), "token-1");
}

TEST_F(ReconcilerTest, DoesNotInheritTheSecretOfAnEarlierNamesake) {
  reconcile_once();
  cluster_.erase(identity_path("billing"));
  create_identity();
  reconcile_once();
  EXPECT_EQ(condition("Ready"), "False SecretConflict");
  EXPECT_THAT(message("Ready"), HasSubstr("MailIdentity billing with uid"));
  cluster_.erase(secret_path("billing-mail-token"));
  reconcile_after(minutes(2));
  EXPECT_EQ(condition("Ready"), "True Ready");
}

TEST_F(ReconcilerTest, DoesNothingForAnIdentityThatIsGone) {
  cluster_.erase(identity_path("billing"));
  EXPECT_EQ(reconcile_once().kind, Outcome::Kind::Gone);
  EXPECT_FALSE(has_token());
  EXPECT_EQ(endpoint_.calls.size(), 0U);
}

TEST_F(ReconcilerTest, DoesNothingForAnIdentityThatIsBeingDeleted) {
  cluster_.edit(identity_path("billing"),
                [](Json& object) { object["metadata"]["deletionTimestamp"] = "2026-11-24T00:00:00Z"; });
  reconcile_once();
  EXPECT_FALSE(has_token());
  EXPECT_EQ(cluster_.count("APPLY"), 0U);
}

TEST_F(ReconcilerTest, SendsNothingWhereAHostIsNotAllowed) {
  cluster_.edit(identity_path("billing"), [](Json& object) { object["spec"]["smtp"]["host"] = "evil.test"; });
  reconcile_once();
  EXPECT_EQ(condition("Ready"), "False HostNotAllowed");
  EXPECT_EQ(endpoint_.calls.size(), 0U);
  EXPECT_EQ(relay_.logins.size(), 0U);
  EXPECT_EQ(cluster_.count("GET " + secret_path("app")), 0U);
}

TEST_F(ReconcilerTest, NamesWhatIsMissingOfTheCredential) {
  cluster_.erase(secret_path("app"));
  reconcile_once();
  EXPECT_EQ(condition("Ready"), "False CredentialMissing");
  EXPECT_THAT(message("Ready"), HasSubstr("Secret app in namespace shop"));
  put_secret("app", "another-key", "x");
  reconcile_after(minutes(1));
  EXPECT_EQ(condition("Ready"), "False CredentialKeyMissing");
  EXPECT_EQ(endpoint_.calls.size(), 0U);
}

TEST_F(ReconcilerTest, KeepsTheOldTokenWhileTheEndpointFails) {
  reconcile_once();
  endpoint_.fail_once(Reason::TokenEndpointTimeout);
  reconcile_after(minutes(35));
  EXPECT_EQ(token(), "token-1");
  EXPECT_EQ(condition("Ready"), "True Ready");
  EXPECT_EQ(condition("TokenFresh"), "False TokenEndpointTimeout");
  EXPECT_EQ(status()["lastFailure"]["count"], 1);
}

TEST_F(ReconcilerTest, BacksOffAcrossRestarts) {
  endpoint_.down = Reason::TokenEndpointUnavailable;
  reconcile_once();
  for (int i = 0; i < 5; ++i) reconcile_once();
  EXPECT_EQ(endpoint_.calls.size(), 1U);
  reconcile_after(seconds(7));
  EXPECT_EQ(endpoint_.calls.size(), 2U);
  EXPECT_EQ(status()["lastFailure"]["count"], 2);
  reconcile_after(seconds(7));
  EXPECT_EQ(endpoint_.calls.size(), 2U);
}

TEST_F(ReconcilerTest, EndsTheWaitingWhenTheCredentialIsPutRight) {
  endpoint_.secrets["app-1"] = "new";
  reconcile_once();
  EXPECT_EQ(condition("Ready"), "False InvalidClient");
  reconcile_once();
  EXPECT_EQ(endpoint_.calls.size(), 1U);
  create_credential("new");
  reconcile_once();
  EXPECT_EQ(condition("Ready"), "True Ready");
  EXPECT_FALSE(status().contains("lastFailure"));
}

TEST_F(ReconcilerTest, ObeysRetryAfterAcrossRestarts) {
  endpoint_.fail_once(Reason::TokenEndpointThrottled, seconds(1'200));
  reconcile_once();
  reconcile_after(seconds(1'199));
  EXPECT_EQ(endpoint_.calls.size(), 1U);
  reconcile_after(seconds(2));
  EXPECT_EQ(endpoint_.calls.size(), 2U);
}

TEST_F(ReconcilerTest, ShowsARefusedLogin) {
  relay_.failure = catalogue::Failure{Reason::LoginRejected, "535 5.7.3 Authentication unsuccessful"};
  reconcile_once();
  EXPECT_EQ(condition("Ready"), "False LoginRejected");
  EXPECT_EQ(condition("TokenIssued"), "True TokenIssued");
  EXPECT_EQ(status()["lastFailure"]["reason"], "LoginRejected");
  reconcile_once();
  EXPECT_EQ(relay_.logins.size(), 1U);
  relay_.failure.reset();
  reconcile_after(seconds(20));
  EXPECT_EQ(condition("Ready"), "True Ready");
  EXPECT_FALSE(status().contains("lastFailure"));
}

TEST_F(ReconcilerTest, IsReadyWhereOnlyTheOperatorCannotReachTheRelay) {
  relay_.failure = catalogue::Failure{Reason::RelayUnreachable, "no route"};
  reconcile_once();
  EXPECT_EQ(condition("Ready"), "True Ready");
  EXPECT_EQ(condition("LoginVerified"), "Unknown RelayUnreachable");
}

TEST_F(ReconcilerTest, GetsOverATokenThatBecomesDueDuringALogin) {
  reconcile_once();
  cluster_.edit(identity_path("billing"),
                [](Json& object) { object["spec"]["senders"]["allowed"] = {"*@contoso.test"}; });
  relay_.before_answer = [this] { clock_.advance(minutes(35)); };
  const auto outcome = reconcile_once();
  EXPECT_EQ(outcome.after, kShortestLook);
  EXPECT_EQ(condition("TokenFresh"), "True TokenFresh");
  relay_.before_answer = nullptr;
  reconcile_once();
  EXPECT_EQ(token(), "token-2");
}

TEST_F(ReconcilerTest, ShowsThatItMayNotReadTheSecret) {
  cluster_.fail("GET " + secret_path("billing-mail-token"), 403, "Forbidden");
  EXPECT_EQ(reconcile_once().kind, Outcome::Kind::Retry);
  EXPECT_EQ(condition("Ready"), "Unknown KubernetesUnavailable");
  EXPECT_THAT(message("Ready"), HasSubstr("Forbidden"));
}

TEST_F(ReconcilerTest, KeepsATokenThatCannotBeWrittenAndAsksForNoOther) {
  const auto process = make_reconciler();
  cluster_.fail("POST", 503, "ServiceUnavailable", 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(loop_.run(process->reconcile("shop/billing")).kind, Outcome::Kind::Retry);
  }
  EXPECT_EQ(loop_.run(process->reconcile("shop/billing")).kind, Outcome::Kind::LookAgain);
  EXPECT_EQ(token(), "token-1");
  EXPECT_EQ(endpoint_.calls.size(), 1U);
  EXPECT_EQ(condition("Ready"), "True Ready");
}

TEST_F(ReconcilerTest, BacksOffEvenWhereNoStatusCanBeWritten) {
  const auto process = make_reconciler();
  endpoint_.down = Reason::TokenEndpointUnavailable;
  cluster_.fail("/status", 503, "ServiceUnavailable");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(loop_.run(process->reconcile("shop/billing")).kind, Outcome::Kind::Retry);
  }
  EXPECT_EQ(endpoint_.calls.size(), 1U);
}

TEST_F(ReconcilerTest, TakesAnAnswerThatGotLostForDone) {
  // The POST was done and its answer never came; what was written is found at the next look.
  cluster_.when_done("POST", [] { throw fakes::Crash(); });
  EXPECT_THROW(reconcile_once(), fakes::Crash);
  reconcile_once();
  EXPECT_EQ(token(), "token-1");
  EXPECT_EQ(endpoint_.calls.size(), 1U);
  EXPECT_EQ(condition("Ready"), "True Ready");
}

TEST_F(ReconcilerTest, AsksNotInALoopWhereTokensHardlyLive) {
  endpoint_.life = seconds(0);
  for (int i = 0; i < 5; ++i) reconcile_once();
  EXPECT_EQ(endpoint_.calls.size(), 1U);
}

TEST_F(ReconcilerTest, HandsTheOperatorsRootsToTheSidecars) {
  smtp_ca_ = "-----BEGIN CERTIFICATE-----";
  reconcile_once();
  EXPECT_THAT(secret_value("identity.v1.json"), HasSubstr("BEGIN CERTIFICATE"));
}

TEST_F(ReconcilerTest, CountsCallsByTheirResult) {
  endpoint_.fail_once(Reason::InvalidClient);
  reconcile_once();
  reconcile_after(minutes(1));
  EXPECT_EQ(metrics_->value(kRequestsMetric, {{"provider", "OAuth2"}, {"result", "InvalidClient"}}), 1);
  EXPECT_EQ(metrics_->value(kRequestsMetric, {{"provider", "OAuth2"}, {"result", "success"}}), 1);
  EXPECT_EQ(metrics_->value(kReadyMetric, {{"namespace", "shop"}, {"name", "billing"}}), 1);
}

TEST_F(ReconcilerTest, NeverShowsATokenOrACredential) {
  create_credential("hunter2-hunter2");
  reconcile_once();
  endpoint_.fail_once(Reason::InvalidClient);
  reconcile_after(minutes(35));
  for (const auto* secret : {"token-1", "hunter2-hunter2"}) {
    EXPECT_THAT(logged_, Not(HasSubstr(secret)));
    EXPECT_THAT(status().dump(), Not(HasSubstr(secret)));
    EXPECT_THAT(metrics_->render(), Not(HasSubstr(secret)));
  }
}

/// Kills at one point of a first reconcile or of a rotation; then a new process goes on.
struct Kill {
  const char* name;
  void (*arm)(fakes::FakeCluster&, fakes::FakeTokenClient&, fakes::FakeLoginProbe&);
  std::size_t extra_calls;
};

void crash() {
  throw fakes::Crash();
}

constexpr Kill kKills[] = {
    {"BeforeTheCall", [](auto&, auto& endpoint, auto&) { endpoint.before_answer = crash; }, 1},
    {"AfterTheCall", [](auto&, auto& endpoint, auto&) { endpoint.after_commit = crash; }, 1},
    {"BeforeTheSecret", [](auto& cluster, auto&, auto&) { cluster.when_writing("-mail-token", crash); }, 1},
    {"AfterTheSecret", [](auto& cluster, auto&, auto&) { cluster.when_done("-mail-token", crash); }, 0},
    {"WithinTheLogin", [](auto&, auto&, auto& relay) { relay.before_answer = crash; }, 0},
    {"BeforeTheStatus", [](auto& cluster, auto&, auto&) { cluster.when_writing("/status", crash); }, 0},
    {"AfterTheStatus", [](auto& cluster, auto&, auto&) { cluster.when_done("/status", crash); }, 0},
};

class KilledReconciler : public ReconcilerTest, public testing::WithParamInterface<Kill> {
 protected:
  void kill_once() {
    GetParam().arm(cluster_, endpoint_, relay_);
    EXPECT_THROW(reconcile_once(), fakes::Crash);
    endpoint_.before_answer = nullptr;
    endpoint_.after_commit = nullptr;
    relay_.before_answer = nullptr;
  }
};

TEST_P(KilledReconciler, GoesOnWithAtMostOneMoreCall) {
  kill_once();
  reconcile_once();
  EXPECT_EQ(condition("Ready"), "True Ready");
  EXPECT_EQ(token(), "token-" + std::to_string(endpoint_.given));
  EXPECT_EQ(endpoint_.calls.size(), 1 + GetParam().extra_calls);
  reconcile_once();
  EXPECT_EQ(endpoint_.calls.size(), 1 + GetParam().extra_calls);
}

TEST_P(KilledReconciler, LeavesAWorkingTokenInTheSecretAtARotation) {
  reconcile_once();
  cluster_.edit(identity_path("billing"),
                [](Json& object) { object["spec"]["senders"]["allowed"] = {"*@contoso.test"}; });
  clock_.advance(minutes(35));
  const auto before = endpoint_.calls.size();
  kill_once();
  EXPECT_TRUE(token() == "token-1" || token() == "token-2");
  reconcile_once();
  EXPECT_EQ(token(), "token-" + std::to_string(endpoint_.given));
  EXPECT_EQ(endpoint_.calls.size(), before + 1 + GetParam().extra_calls);
}

INSTANTIATE_TEST_SUITE_P(Points, KilledReconciler, testing::ValuesIn(kKills),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace mailid::reconcile
