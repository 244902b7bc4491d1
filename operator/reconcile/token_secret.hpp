#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/secret.hpp"
#include "common/catalogue/catalogue.hpp"
#include "operator/api/mail_identity.hpp"

namespace mailid::reconcile {

/// An access token as it lies in its Secret, with what it was made from.
struct StoredToken {
  std::shared_ptr<const base::Secret> value;
  base::Time issued;  ///< whole seconds, as expires
  base::Time expires;
  std::string request;  ///< fingerprint of the request that it answers, see request_fingerprint()
  std::string refresh;  ///< Observation::refresh() when it was asked for
};

/// `<identity>-mail-token` as it is in the cluster.
struct TokenSecret {
  std::string uid;
  std::string resource_version;
  bool ours = false;                 ///< its controller is this very identity, by uid
  std::string owner;                 ///< who controls it, for people; empty: nobody
  std::optional<StoredToken> token;  ///< nothing where there is none or somebody changed it
  std::string settings;              ///< the text of identity.v1.json
};

/// Reads the Secret; the text is wiped. Fails with KubernetesUnavailable where it is no Secret at all. What is not
/// ours is not looked into.
catalogue::Result<TokenSecret> token_secret_from_json(std::string text, const api::Metadata& identity);

/// The whole Secret for a POST.
std::string new_token_secret(const api::Metadata& identity, const StoredToken& token,
                             std::string_view settings);

/// The same for a server-side apply on top of `current` and nothing else: with its uid and resourceVersion.
std::string changed_token_secret(const api::Metadata& identity, const TokenSecret& current,
                                 const StoredToken& token, std::string_view settings);

/// A key of any Secret.
struct Credential {
  std::string version;  ///< changes whenever the Secret does; tells nothing of its content
  base::Secret value;
};

/// Reads one key; the text is wiped. Fails with CredentialKeyMissing where the key is missing or empty, with
/// KubernetesUnavailable where the text is no Secret. One line break at the value's end is taken off.
catalogue::Result<Credential> credential_from_json(std::string text, const api::SecretKeyRef& reference);

/// `/api/v1/namespaces/<ns>/secrets`
std::string secrets_path(std::string_view name_space);

}  // namespace mailid::reconcile
