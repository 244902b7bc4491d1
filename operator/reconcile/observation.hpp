#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/clock.hpp"
#include "common/catalogue/catalogue.hpp"
#include "operator/api/mail_identity.hpp"
#include "operator/api/resolve.hpp"
#include "operator/reconcile/token_secret.hpp"

namespace mailid::reconcile {

/// What the operator's administrator said, the same for every identity.
struct Settings {
  oauth::AllowedHosts allowed_hosts{{}};
  std::string token_ca;  ///< PEM of more roots for token endpoints, may be empty
  std::string smtp_ca;   ///< PEM of more roots for relays, for us and for the sidecars, may be empty
};

/// What an identity asks for, with all defaults filled in and checked.
struct Desired {
  api::Resolved resolved;
  std::string settings;  ///< the text of identity.v1.json
  std::string request;   ///< fingerprint of the token request, see request_fingerprint()
};

/// Fails with InvalidSpec (also where the sidecar couldn't read what we would write) or HostNotAllowed.
catalogue::Result<Desired> desired(const api::MailIdentity& identity, const Settings& settings);

/// Of all that decides which token comes back: endpoint, client, scope, authentication and where the credential is.
std::string request_fingerprint(const api::Resolved& resolved);

/// All that is known about one identity at one moment: what decisions are made of, and nothing else.
struct Observation {
  base::Time now;
  std::uint64_t hash = 0;         ///< of namespace and name
  api::MailIdentity identity;     ///< its conditions follow what is done, step by step
  api::Status status_in_cluster;  ///< its status as it was read
  catalogue::Result<Desired> desired;
  /// The token's Secret; nothing where there is none, KubernetesUnavailable where that is not known.
  catalogue::Result<std::optional<TokenSecret>> secret;
  /// Where a token is wanted: the credential, or CredentialMissing, CredentialKeyMissing, KubernetesUnavailable.
  std::optional<catalogue::Result<Credential>> credential;
  /// The last failure: of status, or a later one that could not be written there.
  std::optional<api::LastFailure> last_failure;

  /// The token's Secret, or nullptr.
  const TokenSecret* token_secret() const {
    if (!secret) return nullptr;
    const auto& found = *secret;
    return found ? &*found : nullptr;
  }
  /// The token in it, or nullptr.
  const StoredToken* token() const {
    const auto* found = token_secret();
    return found != nullptr && found->token ? &*found->token : nullptr;
  }
  /// The credential where it was read and is there, or nullptr.
  const Credential* usable_credential() const {
    if (!credential) return nullptr;
    const auto& read = *credential;
    return read ? &*read : nullptr;
  }
  /// A fingerprint of the refresh annotation's value; empty where there is no such annotation.
  std::string refresh() const;
};

}  // namespace mailid::reconcile
