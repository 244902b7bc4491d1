#include "operator/admission/sidecar_resources.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/json/object.hpp"

namespace mailid::admission {
namespace {

using Quantities = SidecarResources::Quantities;
using Json = nlohmann::json;

base::Unexpected<std::string> wrong(std::string what) {
  return base::Unexpected{std::move(what)};
}

base::Expected<Quantities, std::string> read_quantities(const Json& found, std::string_view name) {
  Quantities quantities;
  if (!found.is_object()) return wrong(fmt::format("{} must be an object", name));
  for (const auto& [resource, quantity] : found.items()) {
    if (quantity.is_string() && !quantity.get_ref<const std::string&>().empty()) {
      quantities.emplace(resource, quantity.get<std::string>());
    } else if (quantity.is_number()) {
      quantities.emplace(resource, quantity.dump());
    } else {
      return wrong(fmt::format("{}.{} must be a quantity such as 50m or 64Mi", name, resource));
    }
  }
  return quantities;
}

}  // namespace

base::Expected<SidecarResources, std::string> read_sidecar_resources(std::string_view text) {
  const auto found = mailid::json::parse(text);
  if (!found || !found->is_object()) return wrong("it must be a JSON object");
  SidecarResources resources{{}, {}};
  for (const auto& [name, value] : found->items()) {
    if (name != "requests" && name != "limits") return wrong(fmt::format("{} is not known", name));
    auto quantities = read_quantities(value, name);
    if (!quantities) return wrong(std::move(quantities).error());
    (name == "requests" ? resources.requests : resources.limits) = std::move(*quantities);
  }
  return resources;
}

}  // namespace mailid::admission
