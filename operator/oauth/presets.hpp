#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mailid::oauth {

/// What one Microsoft cloud needs. Apps are registered in each cloud separately.
struct MicrosoftCloud {
  std::string_view name;       ///< as spec.provider.microsoft365.cloud has it
  std::string_view authority;  ///< where tokens come from
  std::string_view scope;      ///< app-only, the permission to submit mail
  std::string_view smtp_host;
  std::uint16_t smtp_port;
};

/// The clouds that are offered: Public.
std::span<const MicrosoftCloud> microsoft_clouds();

/// The cloud of this name, or nullptr.
const MicrosoftCloud* microsoft_cloud(std::string_view name);

/// `{authority}/{tenant}/oauth2/v2.0/token`; a slash at the authority's end does no harm.
std::string microsoft_token_url(std::string_view authority, std::string_view tenant);

/// Whether a preset uses this host (lower case) for tokens or for mail.
bool is_preset_host(std::string_view host);

}  // namespace mailid::oauth
