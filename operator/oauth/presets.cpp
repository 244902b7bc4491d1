#include "operator/oauth/presets.hpp"

#include <algorithm>

namespace mailid::oauth {
namespace {

constexpr MicrosoftCloud kMicrosoftClouds[] = {
    {"Public", "https://login.microsoftonline.com", "https://outlook.office365.com/.default",
     "smtp.office365.com", 587},
};
constexpr std::string_view kHttps = "https://";

}  // namespace

std::span<const MicrosoftCloud> microsoft_clouds() {
  return kMicrosoftClouds;
}

const MicrosoftCloud* microsoft_cloud(std::string_view name) {
  for (const auto& cloud : kMicrosoftClouds) {
    if (cloud.name == name) return &cloud;
  }
  return nullptr;
}

std::string microsoft_token_url(std::string_view authority, std::string_view tenant) {
  while (authority.ends_with('/')) authority.remove_suffix(1);
  return std::string(authority).append("/").append(tenant).append("/oauth2/v2.0/token");
}

bool is_preset_host(std::string_view host) {
  return std::ranges::any_of(kMicrosoftClouds, [host](const MicrosoftCloud& cloud) {
    return host == cloud.smtp_host || host == cloud.authority.substr(kHttps.size());
  });
}

}  // namespace mailid::oauth
