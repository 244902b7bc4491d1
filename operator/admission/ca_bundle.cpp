#include "operator/admission/ca_bundle.hpp"

#include <fmt/format.h>
#include <optional>

#include <nlohmann/json.hpp>

#include "common/base/encoding.hpp"
#include "common/json/object.hpp"

namespace mailid::admission {
namespace {

using Answer = base::Expected<BundleState, std::string>;

/// The patch that sets the bundle where it is missing or another; `[]` where there is nothing to do.
nlohmann::json bundle_patch(const nlohmann::json& configuration, const std::string& bundle) {
  auto operations = nlohmann::json::array();
  const auto& webhooks = configuration.at("webhooks");
  for (std::size_t i = 0; i < webhooks.size(); ++i) {
    const auto path = fmt::format("/webhooks/{}/clientConfig/caBundle", i);
    const nlohmann::json::json_pointer pointer(path);
    if (configuration.value(pointer, std::string()) == bundle) continue;
    operations.push_back({{"op", "add"}, {"path", path}, {"value", bundle}});
  }
  if (operations.empty()) return operations;
  const nlohmann::json::json_pointer version("/metadata/resourceVersion");
  const nlohmann::json unchanged = {{"op", "test"},
                                    {"path", "/metadata/resourceVersion"},
                                    {"value", configuration.value(version, std::string())}};
  operations.insert(operations.begin(), unchanged);
  return operations;
}

/// Whether the answer has what bundle_patch() relies on.
bool is_configuration(const nlohmann::json& object) {
  if (!object.is_object() || !object.contains("webhooks") || !object["webhooks"].is_array()) return false;
  if (object["webhooks"].empty()) return false;
  for (const auto& webhook : object["webhooks"]) {
    if (!webhook.is_object() || !webhook.contains("clientConfig") || !webhook["clientConfig"].is_object())
      return false;
  }
  return true;
}

}  // namespace

asio::awaitable<Answer> ensure_ca_bundle(kube::Client& client, std::string name, std::string ca_pem) {
  const auto path =
      fmt::format("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{}", name);
  const auto found = co_await client.get(path);
  if (!found) {
    co_return base::Unexpected{fmt::format("{}: {} {}", name, found.error().reason, found.error().message)};
  }
  const auto configuration = json::parse(*found);
  if (!configuration || !is_configuration(*configuration)) {
    co_return base::Unexpected{fmt::format("{} is no webhook configuration with an entry", name)};
  }
  const auto operations = bundle_patch(*configuration, base::base64_encode(ca_pem));
  BundleState state;
  state.ca_pem = std::move(ca_pem);
  if (operations.empty()) co_return state;

  const auto patched = co_await client.json_patch(path, operations.dump());
  if (!patched) {
    co_return base::Unexpected{
        fmt::format("{}: {} {}", name, patched.error().reason, patched.error().message)};
  }
  state.changed = true;
  co_return state;
}

}  // namespace mailid::admission
