#include "operator/admission/serving.hpp"

#include "common/base/encoding.hpp"
#include "tests/unit/operator/admission/coroutine_fixture.hpp"

namespace mailid::admission {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kSecret = "/api/v1/namespaces/mail/secrets/webhook-ca";
constexpr const char* kConfiguration =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/mail-identity-operator";

class ServingTest : public CoroutineTest {
 protected:
  ServingTest() {
    kube_.objects[kConfiguration] = json::parse(
        R"({"metadata": {"resourceVersion": "7"},
            "webhooks": [{"name": "pods.mailidentity.io", "clientConfig": {"service": {"name": "webhook"}}}]})");
  }

  ServingNames names() const {
    return {"webhook.mail.svc", {"mail", "webhook-ca"}, "mail-identity-operator"};
  }
  Serving serving(net::TlsServerContext& tls) { return {kube_, clock_, log_, tls, names()}; }
  json& entry() { return kube_.objects[kConfiguration]["webhooks"][0]; }
  std::string bundle() { return entry()["clientConfig"].value("caBundle", ""); }
  std::string secret_certificate() { return kube_.objects[kSecret]["data"]["tls.crt"]; }

  net::TlsServerContext tls_;
  Serving serving_ = serving(tls_);
};

TEST_F(ServingTest, MakesTheAuthorityAndTellsTheApiServer) {
  EXPECT_TRUE(run(serving_.round()));
  EXPECT_TRUE(tls_.ready());
  EXPECT_EQ(bundle(), secret_certificate());
  EXPECT_EQ(base::base64_encode(serving_.bundle_in_api()), bundle());
}

TEST_F(ServingTest, LeavesTheRestOfTheConfigurationAlone) {
  const auto before = entry();
  run(serving_.round());
  auto after = entry();
  after["clientConfig"].erase("caBundle");
  EXPECT_EQ(after, before);
}

TEST_F(ServingTest, ChangesNothingWhereAllIsInPlace) {
  run(serving_.round());
  kube_.calls.clear();
  EXPECT_TRUE(run(serving_.round()));
  EXPECT_THAT(kube_.calls,
              testing::ElementsAre(std::string("GET ") + kSecret, std::string("GET ") + kConfiguration));
}

TEST_F(ServingTest, SharesTheAuthorityOfAnotherReplica) {
  run(serving_.round());
  const auto first = bundle();
  net::TlsServerContext other_tls;
  auto other = serving(other_tls);
  EXPECT_TRUE(run(other.round()));
  EXPECT_EQ(bundle(), first);
}

TEST_F(ServingTest, TakesTheAuthorityOfAReplicaThatWasQuicker) {
  auto quicker = make_authority("quicker", {clock_.time - 1h, clock_.time + 8760h});
  kube_.before_create = [&] {
    kube_.objects[kSecret] = {{"data",
                               {{"tls.crt", base::base64_encode(quicker->certificate_pem)},
                                {"tls.key", base::base64_encode(quicker->key_pem.reveal())}}}};
  };
  EXPECT_TRUE(run(serving_.round()));
  EXPECT_EQ(serving_.bundle_in_api(), quicker->certificate_pem);
}

TEST_F(ServingTest, RepairsABundleThatSomebodyChanged) {
  run(serving_.round());
  const auto right = bundle();
  entry()["clientConfig"]["caBundle"] = "b3RoZXI=";
  EXPECT_TRUE(run(serving_.round()));
  EXPECT_EQ(bundle(), right);
}

TEST_F(ServingTest, MakesANewAuthorityWhereTheSecretWasDeleted) {
  run(serving_.round());
  const auto old = bundle();
  kube_.objects.erase(kSecret);
  EXPECT_TRUE(run(serving_.round()));
  EXPECT_NE(bundle(), old);
  EXPECT_EQ(bundle(), secret_certificate());
}

TEST_F(ServingTest, NeverWritesOverASecretThatItCantUse) {
  kube_.objects[kSecret] = {{"data", {{"tls.crt", "Z2FyYmFnZQ=="}, {"tls.key", "Z2FyYmFnZQ=="}}}};
  EXPECT_FALSE(run(serving_.round()));
  EXPECT_EQ(secret_certificate(), "Z2FyYmFnZQ==");
  EXPECT_THAT(logged_, HasSubstr("Secret mail/webhook-ca holds no usable certificate authority"));
}

TEST_F(ServingTest, RenewsItsCertificateAfterTwoThirdsOfItsLife) {
  run(serving_.round());
  logged_.clear();
  clock_.time += 4 * 24h;
  run(serving_.round());
  EXPECT_THAT(logged_, Not(HasSubstr("serving certificate issued")));
  clock_.time += 24h;
  run(serving_.round());
  EXPECT_THAT(logged_, HasSubstr("serving certificate issued"));
}

TEST_F(ServingTest, KeepsServingWhileTheApiServerIsAway) {
  run(serving_.round());
  const auto known = serving_.bundle_in_api();
  kube_.failure = fakes::FakeKubeObjects::status(0, "Unreachable");
  EXPECT_FALSE(run(serving_.round()));
  EXPECT_TRUE(tls_.ready());
  EXPECT_EQ(serving_.bundle_in_api(), known);
}

TEST_F(ServingTest, SaysThatTheConfigurationIsMissing) {
  kube_.objects.erase(kConfiguration);
  EXPECT_FALSE(run(serving_.round()));
  EXPECT_THAT(logged_, HasSubstr("mail-identity-operator: NotFound"));
}

TEST_F(ServingTest, LogsNoKey) {
  run(serving_.round());
  const auto key = base::base64_decode(kube_.objects[kSecret]["data"]["tls.key"].get<std::string>());
  EXPECT_THAT(*key, HasSubstr("BEGIN PRIVATE KEY"));
  EXPECT_THAT(logged_, Not(HasSubstr("PRIVATE KEY")));
}

}  // namespace
}  // namespace mailid::admission
