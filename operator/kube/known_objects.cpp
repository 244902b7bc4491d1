#include "operator/kube/known_objects.hpp"

#include <nlohmann/json.hpp>

namespace mailid::kube {
namespace {

/// What is still known of an object that a list no longer has.
WatchEvent tombstone(const std::string& key, const std::string& uid) {
  const auto slash = key.find('/');
  nlohmann::json metadata{{"name", key.substr(slash == std::string::npos ? 0 : slash + 1)}, {"uid", uid}};
  if (slash != std::string::npos) metadata["namespace"] = key.substr(0, slash);
  const nlohmann::json object{{"metadata", std::move(metadata)}};
  return {WatchEvent::Type::Deleted, object.dump()};
}

}  // namespace

void KnownObjects::present(ListedObject object, const Report& report) {
  const auto [place, is_new] = objects_.try_emplace(object.key);
  auto& known = place->second;
  known.round = round_;
  const bool made_anew = !is_new && known.uid != object.uid;
  if (made_anew) report(tombstone(object.key, known.uid));
  if (!is_new && !made_anew && known.resource_version == object.resource_version) return;

  known.uid = std::move(object.uid);
  known.resource_version = std::move(object.resource_version);
  const auto type = is_new || made_anew ? WatchEvent::Type::Added : WatchEvent::Type::Modified;
  report({type, std::move(object.json)});
}

void KnownObjects::absent(ListedObject object, const Report& report) {
  if (objects_.erase(object.key) == 0) return;
  report({WatchEvent::Type::Deleted, std::move(object.json)});
}

void KnownObjects::end_list(const Report& report) {
  for (auto place = objects_.begin(); place != objects_.end();) {
    if (place->second.round == round_) {
      ++place;
      continue;
    }
    const auto gone = tombstone(place->first, place->second.uid);
    place = objects_.erase(place);
    report(gone);
  }
}

}  // namespace mailid::kube
