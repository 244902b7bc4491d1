#include "operator/admission/review.hpp"

#include <gmock/gmock.h>

#include "common/base/encoding.hpp"

namespace mailid::admission {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json review_of_a_pod() {
  return json::parse(R"({
    "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
    "request": {
      "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "operation": "CREATE", "namespace": "shop", "dryRun": true,
      "resource": {"group": "", "version": "v1", "resource": "pods"},
      "object": {"metadata": {"generateName": "app-"}, "spec": {"containers": []}}}})");
}

TEST(ReadReview, GivesUidNamespaceAndPod) {
  const auto review = read_review(review_of_a_pod().dump());
  ASSERT_TRUE(review) << review.error();
  EXPECT_EQ(review->uid, "705ab4f5-6393-11e8-b7cc-42010a800002");
  EXPECT_EQ(review->pod_namespace, "shop");
  EXPECT_EQ(review->pod_name, "app-");
  EXPECT_TRUE(review->pod.contains("spec"));
}

TEST(ReadReview, HasNoPodWhereItIsNotAPodsCreation) {
  auto updated = review_of_a_pod();
  updated["request"]["operation"] = "UPDATE";
  auto service = review_of_a_pod();
  service["request"]["resource"]["resource"] = "services";
  auto eviction = review_of_a_pod();
  eviction["request"]["subResource"] = "eviction";
  for (const auto& review : {updated, service, eviction}) {
    const auto read = read_review(review.dump());
    ASSERT_TRUE(read) << read.error();
    EXPECT_TRUE(read->pod.is_null());
  }
}

TEST(ReadReview, RefusesWhatIsNoReview) {
  for (const char* body :
       {"", "[]", "{", "null", "{}", R"({"apiVersion": "v1", "kind": "Pod"})",
        R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"})",
        R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": []})"}) {
    EXPECT_FALSE(read_review(body)) << body;
  }
}

TEST(ReadReview, RefusesAPodThatIsNoObject) {
  auto review = review_of_a_pod();
  review["request"]["object"] = "pod";
  EXPECT_FALSE(read_review(review.dump()));
}

TEST(ReadReview, RefusesNestingWithoutEnd) {
  auto text = review_of_a_pod().dump();
  const auto deep = std::string(100'000, '[');
  text.replace(text.find("\"containers\":[]"), 15, "\"containers\":" + deep);
  EXPECT_FALSE(read_review(text));
}

TEST(Allow, CarriesThePatchInBase64WithUidAndWarnings) {
  PodPatch patch;
  patch.operations = R"([{"op":"add","path":"/spec/volumes","value":[]}])";
  patch.warnings = {"MailIdentity shop/billing does not exist yet"};
  const auto answer = json::parse(allow("u-1", patch));
  EXPECT_EQ(answer["apiVersion"], "admission.k8s.io/v1");
  const auto& response = answer["response"];
  EXPECT_EQ(response["uid"], "u-1");
  EXPECT_EQ(response["allowed"], true);
  EXPECT_EQ(response["patchType"], "JSONPatch");
  EXPECT_EQ(base::base64_decode(response["patch"].get<std::string>()), patch.operations);
  EXPECT_EQ(response["warnings"][0], patch.warnings[0]);
}

TEST(Allow, CarriesNoPatchWhereNothingIsToBeDone) {
  const auto answer = json::parse(allow("u-1", PodPatch{}));
  EXPECT_EQ(answer["response"]["allowed"], true);
  EXPECT_FALSE(answer["response"].contains("patchType"));
}

TEST(Deny, SaysReasonTroubleAndCure) {
  const auto answer = json::parse(deny("u-1", {catalogue::Reason::HostNetworkRefused, {}}));
  const auto& response = answer["response"];
  EXPECT_EQ(response["uid"], "u-1");
  EXPECT_EQ(response["allowed"], false);
  const auto message = response["status"]["message"].get<std::string>();
  EXPECT_THAT(message, HasSubstr("HostNetworkRefused: "));
  EXPECT_THAT(message, HasSubstr("Remove hostNetwork"));
}

}  // namespace
}  // namespace mailid::admission
