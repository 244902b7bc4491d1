#pragma once

#include <string>
#include <string_view>

#include "common/catalogue/catalogue.hpp"
#include "common/contract/identity.hpp"
#include "operator/api/mail_identity.hpp"
#include "operator/oauth/allowed_hosts.hpp"
#include "operator/oauth/token_client.hpp"

namespace mailid::api {

/// A spec with the provider's defaults filled in.
struct Resolved {
  std::string provider;         ///< `Microsoft365` or `OAuth2`
  contract::Identity identity;  ///< what the sidecar will read
  oauth::TokenRequest request;  ///< complete but for client_secret
  SecretKeyRef client_secret;   ///< where that is
};

/// Fills in the provider's defaults. Fails with InvalidSpec where the provider has none for something that is needed
/// (oauth2 without smtp.host) or an address can't be used.
catalogue::Result<Resolved> resolve(std::string_view name, const Spec& spec);

/// Nothing, or HostNotAllowed with the first host (token endpoint, then relay) that may not be used.
catalogue::Result<base::Done> check_hosts(const Resolved& resolved, const oauth::AllowedHosts& allowed);

}  // namespace mailid::api
