#include "operator/admission/review.hpp"

#include <fmt/format.h>

#include "common/base/encoding.hpp"
#include "common/json/object.hpp"

namespace mailid::admission {
namespace {

using nlohmann::json;

constexpr const char* kApiVersion = "admission.k8s.io/v1";
constexpr const char* kKind = "AdmissionReview";
constexpr std::size_t kLongestName = 253;

json envelope(const std::string& uid) {
  return {{"apiVersion", kApiVersion}, {"kind", kKind}, {"response", {{"uid", uid}}}};
}

bool is_pod_creation(const mailid::json::Object& request) {
  const auto resource = request.object("resource");
  return resource.text("group").value_or("").empty() && resource.text("resource") == "pods" &&
         request.text("operation") == "CREATE" && request.text("subResource").value_or("").empty();
}

std::string name_of(const mailid::json::Object& pod) {
  const auto metadata = pod.object("metadata");
  return metadata.text("name", kLongestName)
      .value_or(metadata.text("generateName", kLongestName).value_or(""));
}

}  // namespace

base::Expected<ReviewRequest, std::string> read_review(std::string_view body) {
  auto parsed = mailid::json::parse(body);
  if (!parsed || !parsed->is_object()) return base::Unexpected{std::string("the body is not a JSON object")};

  std::vector<std::string> wrong;
  const mailid::json::Object review(*parsed, "review", wrong);
  if (review.text("apiVersion") != kApiVersion || review.text("kind") != kKind) {
    return base::Unexpected{fmt::format("the body is not an {} {}", kApiVersion, kKind)};
  }
  const auto request = review.object("request");
  ReviewRequest result;
  result.uid = request.required_text("uid");
  result.pod_namespace = request.text("namespace", kLongestName).value_or("");
  if (is_pod_creation(request)) {
    const auto* object = request.member("object");
    if (object == nullptr || !object->is_object()) request.complain("object", "must be a pod");
    result.pod_name = name_of(request.object("object"));
  }
  if (!wrong.empty()) return base::Unexpected{mailid::json::join(wrong)};

  if (is_pod_creation(request)) result.pod = std::move((*parsed)["request"]["object"]);
  return result;
}

std::string allow(const std::string& uid, const PodPatch& patch) {
  auto answer = envelope(uid);
  auto& response = answer["response"];
  response["allowed"] = true;
  if (!patch.empty()) {
    response["patchType"] = "JSONPatch";
    response["patch"] = base::base64_encode(patch.operations);
  }
  if (!patch.warnings.empty()) response["warnings"] = patch.warnings;
  return answer.dump();
}

std::string deny(const std::string& uid, const catalogue::Failure& failure) {
  auto answer = envelope(uid);
  auto& response = answer["response"];
  response["allowed"] = false;
  response["status"] = {
      {"status", "Failure"},
      {"code", 403},
      {"reason", "Forbidden"},
      {"message", fmt::format("{}: {}", catalogue::code(failure.reason), catalogue::describe(failure))}};
  return answer.dump();
}

}  // namespace mailid::admission
