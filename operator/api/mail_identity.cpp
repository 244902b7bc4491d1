#include "operator/api/mail_identity.hpp"

#include <fmt/format.h>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/json/object.hpp"
#include "operator/api/read_spec.hpp"
#include "operator/api/status_json.hpp"

namespace mailid::api {
namespace {

using Failed = base::Unexpected<catalogue::Failure>;

Metadata read_metadata(const json::Object& object) {
  Metadata metadata;
  metadata.name = object.required_text("name", 253);
  metadata.name_space = object.required_text("namespace", 253);
  metadata.uid = object.required_text("uid", 253);
  metadata.resource_version = object.text("resourceVersion").value_or("");
  metadata.generation = object.integer("generation").value_or(0);
  metadata.deleting = object.has("deletionTimestamp");
  const auto* annotations = object.member("annotations");
  if (annotations == nullptr || !annotations->is_object()) return metadata;
  for (const auto& [key, value] : annotations->items()) {
    if (value.is_string()) metadata.annotations.emplace(key, value.get<std::string>());
  }
  return metadata;
}

catalogue::Result<Spec> read_whole_spec(const json::Object& object, std::vector<std::string>& wrong) {
  auto spec = read_spec(object);
  if (!wrong.empty()) return Failed{{catalogue::Reason::InvalidSpec, json::join(wrong)}};
  return spec;
}

}  // namespace

catalogue::Result<MailIdentity> mail_identity_from_json(std::string_view text) {
  const auto value = json::parse(text);
  if (!value) return Failed{{catalogue::Reason::InvalidSpec, "the object is not JSON"}};

  std::vector<std::string> wrong;
  const json::Object object(*value, "", wrong);
  auto metadata = read_metadata(object.object("metadata"));
  if (!wrong.empty()) return Failed{{catalogue::Reason::InvalidSpec, json::join(wrong)}};

  auto spec = read_whole_spec(object.object("spec"), wrong);
  const auto* status = object.member("status");
  auto known = status == nullptr ? std::nullopt : read_status(*status);
  return MailIdentity{std::move(metadata), std::move(spec), std::move(known).value_or(Status{})};
}

std::string path_of(const Metadata& metadata) {
  return fmt::format("/apis/{}/namespaces/{}/{}/{}", kApiVersion, metadata.name_space, kPlural,
                     metadata.name);
}

std::string token_secret_name(std::string_view identity) {
  return std::string(identity).append("-mail-token");
}

}  // namespace mailid::api
