#include "operator/kube/object_reader.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "common/json/object.hpp"
#include "common/json/tree_builder.hpp"

namespace mailid::kube {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxText = 4096;

/// The string at `name`, empty where there is none.
std::string text_of(const json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found == object.end() || !found->is_string() ? std::string() : found->get<std::string>();
}

const json& member_of(const json& object, const char* name) {
  static const json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

ListedObject listed(json& object) {
  ListedObject result;
  if (const auto metadata = object.find("metadata"); metadata != object.end() && metadata->is_object()) {
    metadata->erase("managedFields");
    const auto in_namespace = text_of(*metadata, "namespace");
    const auto name = text_of(*metadata, "name");
    result.key = in_namespace.empty() ? name : in_namespace + '/' + name;
    result.uid = text_of(*metadata, "uid");
    result.resource_version = text_of(*metadata, "resourceVersion");
  }
  result.json = object.dump();
  return result;
}

// How many keys and values there are is for the limit on the text: what the API server keeps must be read.
constexpr mailid::json::TreeBuilder::Limits kLimits{.parts = 0, .leave_out_deep = true};

Status status_of(const json& body) {
  Status status;
  const auto& code = member_of(body, "code");
  if (code.is_number_integer()) status.code = code.get<int>();
  status.reason = text_of(body, "reason").substr(0, kMaxText);
  status.message = text_of(body, "message").substr(0, kMaxText);
  const auto& seconds = member_of(member_of(body, "details"), "retryAfterSeconds");
  if (seconds.is_number_unsigned()) status.retry_after = std::chrono::seconds(seconds.get<std::uint32_t>());
  return status;
}

std::optional<WatchLine::Type> type_of(std::string_view name) {
  using Type = WatchLine::Type;
  constexpr std::pair<std::string_view, Type> kTypes[] = {{"ADDED", Type::Added},
                                                          {"MODIFIED", Type::Modified},
                                                          {"DELETED", Type::Deleted},
                                                          {"BOOKMARK", Type::Bookmark},
                                                          {"ERROR", Type::Error}};
  for (const auto& [known, type] : kTypes) {
    if (known == name) return type;
  }
  return std::nullopt;
}

}  // namespace

base::Expected<ListPage, std::string> read_list_page(std::string_view text,
                                                     const std::function<void(ListedObject)>& on_object) {
  const auto hand_out = [&on_object](std::string_view member, json& object) {
    if (member == "items") on_object(listed(object));
  };
  const auto page = mailid::json::TreeBuilder(kLimits, hand_out).build(text).value_or(json());
  const auto& metadata = member_of(page, "metadata");
  ListPage result{text_of(metadata, "continue"), text_of(metadata, "resourceVersion")};
  if (result.resource_version.empty()) {
    return base::Unexpected{std::string("the answer is no list: it has no metadata.resourceVersion")};
  }
  return result;
}

std::optional<WatchLine> read_watch_line(std::string_view text) {
  auto line = mailid::json::TreeBuilder(kLimits).build(text).value_or(json());
  const auto type = type_of(text_of(line, "type"));
  if (!type) return std::nullopt;
  const auto object = line.find("object");
  if (object == line.end() || !object->is_object()) return std::nullopt;

  WatchLine result{*type, {}, {}};
  if (*type == WatchLine::Type::Error) {
    result.error = status_of(*object);
  } else {
    result.object = listed(*object);
  }
  return result;
}

std::optional<Status> read_status(std::string_view text) {
  const auto body = mailid::json::parse(text);
  if (!body || text_of(*body, "kind") != "Status") return std::nullopt;
  return status_of(*body);
}

}  // namespace mailid::kube
