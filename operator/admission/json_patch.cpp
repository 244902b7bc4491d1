#include "operator/admission/json_patch.hpp"

#include <fmt/format.h>

namespace mailid::admission {
namespace {

// Kubernetes leaves empty members out or writes null; either way there is nothing to add to.
bool has(const nlohmann::json& parent, const char* name) {
  const auto found = parent.find(name);
  return found != parent.end() && !found->is_null();
}

}  // namespace

std::string pointer_step(std::string_view name) {
  std::string step;
  for (const char c : name) {
    if (c == '~') {
      step += "~0";
    } else if (c == '/') {
      step += "~1";
    } else {
      step += c;
    }
  }
  return step;
}

void PatchBuilder::add(std::string path, nlohmann::json value) {
  nlohmann::json operation = nlohmann::json::object();
  operation["op"] = "add";
  operation["path"] = std::move(path);
  operation["value"] = std::move(value);
  operations_.push_back(std::move(operation));
}

void PatchBuilder::append(const nlohmann::json& parent, std::string_view parent_path, const char* name,
                          const nlohmann::json& elements) {
  if (elements.empty()) return;
  if (!has(parent, name)) {
    add(fmt::format("{}/{}", parent_path, name), elements);
    return;
  }
  for (const auto& element : elements) add(fmt::format("{}/{}/-", parent_path, name), element);
}

void PatchBuilder::prepend(const nlohmann::json& parent, std::string_view parent_path, const char* name,
                           nlohmann::json element) {
  if (has(parent, name)) {
    add(fmt::format("{}/{}/0", parent_path, name), std::move(element));
    return;
  }
  auto list = nlohmann::json::array();
  list.push_back(std::move(element));
  add(fmt::format("{}/{}", parent_path, name), std::move(list));
}

void PatchBuilder::merge(const nlohmann::json& parent, std::string_view parent_path, const char* name,
                         const nlohmann::json& members) {
  if (members.empty()) return;
  if (!has(parent, name)) {
    add(fmt::format("{}/{}", parent_path, name), members);
    return;
  }
  for (const auto& [member, value] : members.items()) {
    add(fmt::format("{}/{}/{}", parent_path, name, pointer_step(member)), value);
  }
}

}  // namespace mailid::admission
