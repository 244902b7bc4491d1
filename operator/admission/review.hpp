#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "common/base/expected.hpp"
#include "common/catalogue/catalogue.hpp"
#include "operator/admission/pod_patch.hpp"

namespace mailid::admission {

/// What the API server asks about one object (AdmissionReview, admission.k8s.io/v1).
struct ReviewRequest {
  std::string uid;            ///< given back in the answer
  std::string pod_namespace;  ///< request.namespace, the only one to trust: the object's own may be empty
  std::string pod_name;       ///< for the log; what generateName begins with, or empty
  nlohmann::json pod;         ///< the object, or null where it is anything but the creation of a pod
};

/// Reads the body of a request, or says what is wrong with it (the answer is then 400).
base::Expected<ReviewRequest, std::string> read_review(std::string_view body);

/// The answer that lets the pod in, with its patch and warnings.
std::string allow(const std::string& uid, const PodPatch& patch);

/// The answer that refuses the pod: reason code, what is wrong, what to do.
std::string deny(const std::string& uid, const catalogue::Failure& failure);

}  // namespace mailid::admission
