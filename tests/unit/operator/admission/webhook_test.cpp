#include "operator/admission/webhook.hpp"

#include "common/base/encoding.hpp"
#include "tests/unit/operator/admission/coroutine_fixture.hpp"

namespace mailid::admission {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kIdentity = "/apis/mailidentity.io/v1alpha1/namespaces/shop/mailidentities/billing";

class WebhookTest : public CoroutineTest {
 protected:
  static SidecarSettings settings() {
    SidecarSettings settings;
    settings.image = "registry.example.test/mail-sidecar:0.1.0";
    return settings;
  }

  static json review() {
    return json::parse(R"({
      "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
      "request": {"uid": "u-1", "operation": "CREATE", "namespace": "shop",
                  "resource": {"group": "", "version": "v1", "resource": "pods"},
                  "object": {"metadata": {"name": "app", "labels": {"mailidentity.io/identity": "billing"}},
                             "spec": {"containers": [{"name": "app"}]}}}})");
  }

  http::Response post(const std::string& body, const std::string& content_type = "application/json") {
    http::Request request;
    request.method = "POST";
    request.path = "/mutate";
    request.headers = {{"Content-Type", content_type}};
    request.body = body;
    return run(webhook_.handle(std::move(request)));
  }

  json response_to(const json& body) { return json::parse(post(body.dump()).body)["response"]; }

  base::Metrics metrics_;
  IdentityLookup lookup_{io_.get_executor(), timer_, kube_};
  Webhook webhook_{settings(), lookup_, timer_, metrics_, log_};
};

TEST_F(WebhookTest, LetsALabelledPodInWithItsPatch) {
  kube_.objects[kIdentity] = json::object();
  const auto response = response_to(review());
  EXPECT_EQ(response["uid"], "u-1");
  EXPECT_EQ(response["allowed"], true);
  EXPECT_THAT(*base::base64_decode(response["patch"].get<std::string>()), HasSubstr("mail-sidecar"));
  EXPECT_FALSE(response.contains("warnings"));
}

TEST_F(WebhookTest, WarnsOfAnIdentityThatIsNotThereYet) {
  const auto warnings = response_to(review())["warnings"];
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0].get<std::string>(), HasSubstr("MailIdentity shop/billing does not exist yet"));
}

TEST_F(WebhookTest, GivesTheSamePatchWhetherTheIdentityIsThereOrNot) {
  const auto without = response_to(review())["patch"];
  kube_.objects[kIdentity] = json::object();
  EXPECT_EQ(response_to(review())["patch"], without);
}

TEST_F(WebhookTest, DoesNotWarnWhereItCantKnow) {
  kube_.failure = fakes::FakeKubeObjects::status(503, "ServiceUnavailable");
  EXPECT_FALSE(response_to(review()).contains("warnings"));
}

TEST_F(WebhookTest, AsksOnceForPodsThatComeTogether) {
  response_to(review());
  response_to(review());
  EXPECT_THAT(kube_.calls, ElementsAre(std::string("GET ") + kIdentity));
}

TEST_F(WebhookTest, NeverAsksForANamespaceThatIsNoName) {
  auto crafted = review();
  crafted["request"]["namespace"] = "../../../api/v1/namespaces/kube-system/secrets/x?";
  EXPECT_EQ(response_to(crafted)["allowed"], true);
  EXPECT_THAT(kube_.calls, IsEmpty());
}

TEST_F(WebhookTest, RefusesAPodThatCantHaveASidecar) {
  auto on_the_nodes_network = review();
  on_the_nodes_network["request"]["object"]["spec"]["hostNetwork"] = true;
  const auto response = response_to(on_the_nodes_network);
  EXPECT_EQ(response["allowed"], false);
  EXPECT_THAT(response["status"]["message"].get<std::string>(), HasSubstr("HostNetworkRefused"));
}

TEST_F(WebhookTest, LetsWhatIsNotACreatedPodInAsItIs) {
  auto deleted = review();
  deleted["request"]["operation"] = "DELETE";
  const auto response = response_to(deleted);
  EXPECT_EQ(response["allowed"], true);
  EXPECT_FALSE(response.contains("patch"));
}

TEST_F(WebhookTest, Answers400ToWhatIsNoReview) {
  EXPECT_EQ(post("{").status, 400);
  EXPECT_EQ(post("{}").status, 400);
  EXPECT_EQ(post(review().dump(), "text/plain").status, 400);
}

TEST_F(WebhookTest, Answers404OutsideOfItsPath) {
  http::Request request;
  request.method = "POST";
  request.path = "/convert";
  EXPECT_EQ(run(webhook_.handle(std::move(request))).status, 404);
}

TEST_F(WebhookTest, CountsByStatus) {
  response_to(review());
  post("{");
  const auto count = [this](std::string_view code) {
    return metrics_.value("controller_runtime_webhook_requests_total",
                          {{"webhook", "/mutate"}, {"code", code}});
  };
  EXPECT_EQ(count("200"), 1);
  EXPECT_EQ(count("400"), 1);
}

}  // namespace
}  // namespace mailid::admission
