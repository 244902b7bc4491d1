#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/clock.hpp"
#include "common/catalogue/catalogue.hpp"
#include "common/contract/identity.hpp"
#include "operator/api/condition.hpp"
#include "operator/oauth/token_client.hpp"

namespace mailid::api {

inline constexpr std::string_view kGroup = "mailidentity.io";
inline constexpr std::string_view kApiVersion = "mailidentity.io/v1alpha1";
inline constexpr std::string_view kKind = "MailIdentity";
inline constexpr std::string_view kPlural = "mailidentities";
/// An annotation with any new value asks for a refresh at once.
inline constexpr std::string_view kRefreshAnnotation = "mailidentity.io/refresh";

/// A key of a Secret in the identity's own namespace.
struct SecretKeyRef {
  std::string name;
  std::string key;
  friend bool operator==(const SecretKeyRef&, const SecretKeyRef&) = default;
};

/// spec.provider.microsoft365
struct Microsoft365 {
  std::string tenant;  ///< GUID or verified domain
  std::string client_id;
  std::string cloud = "Public";
  std::string authority_host;  ///< https address instead of the cloud's own; empty: the cloud's own
  SecretKeyRef client_secret;
};

/// spec.provider.oauth2
struct OAuth2 {
  std::string token_url;
  std::string client_id;
  std::vector<std::string> scopes;
  oauth::ClientAuthentication client_authentication = oauth::ClientAuthentication::Basic;
  SecretKeyRef client_secret;
  std::string ca_bundle;  ///< PEM
};

/// spec.smtp: what is not given comes from the provider.
struct Smtp {
  std::string host;
  std::optional<std::uint16_t> port;
  std::optional<contract::Mechanism> mechanism;
  std::string ca_bundle;  ///< PEM
};

/// spec: what a person asked for, before the provider's defaults.
struct Spec {
  std::string mailbox;
  std::variant<Microsoft365, OAuth2> provider;
  Smtp smtp;
  std::vector<std::string> senders;  ///< senders.allowed; empty: the mailbox only
  std::optional<std::chrono::milliseconds> deadline;
  std::optional<std::uint32_t> connections;
  std::optional<std::uint64_t> message_size;
};

/// status.token: nothing secret, only where it is and how long it lives.
struct TokenStatus {
  std::string secret_name;
  std::optional<base::Time> issue_time;
  std::optional<base::Time> expiration_time;
  std::optional<base::Time> next_refresh_time;
  friend bool operator==(const TokenStatus&, const TokenStatus&) = default;
};

/// status.lastFailure: how often the same thing failed in a row; survives a restart of the operator.
struct LastFailure {
  base::Time time;
  std::uint32_t count = 0;
  std::string reason;
  std::optional<base::Time> retry_time;
  std::string
      attempt;  ///< fingerprint (16 hex digits) of what was tried; where it differs now, the waiting ends
  friend bool operator==(const LastFailure&, const LastFailure&) = default;
};

/// status
struct Status {
  std::int64_t observed_generation = 0;
  std::string provider;  ///< `Microsoft365` or `OAuth2`, for the column
  std::vector<Condition> conditions;
  std::optional<TokenStatus> token;
  std::optional<LastFailure> last_failure;
  friend bool operator==(const Status&, const Status&) = default;
};

/// metadata, as far as we need it.
struct Metadata {
  std::string name;
  std::string name_space;
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  bool deleting = false;  ///< deletionTimestamp is set
  std::map<std::string, std::string, std::less<>> annotations;
};

/// One object as the API server gave it.
struct MailIdentity {
  Metadata metadata;
  catalogue::Result<Spec> spec;  ///< or InvalidSpec with every wrong member (a schema may be older or newer)
  Status status;
};

/// Reads an object. Fails with InvalidSpec only where not even name, namespace and uid can be read; a status that
/// makes no sense is taken for none.
catalogue::Result<MailIdentity> mail_identity_from_json(std::string_view text);

/// The body of a server-side apply of the whole status. Carries the resourceVersion, so that an object that has changed
/// since it was read, or a namesake of it, is not touched (409): a uid alone is ignored for a status.
std::string status_to_json(const Metadata& metadata, const Status& status);

/// `/apis/mailidentity.io/v1alpha1/namespaces/<ns>/mailidentities/<name>`
std::string path_of(const Metadata& metadata);

/// `<identity>-mail-token`
std::string token_secret_name(std::string_view identity);

}  // namespace mailid::api
