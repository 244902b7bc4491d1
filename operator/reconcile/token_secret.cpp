#include "operator/reconcile/token_secret.hpp"

#include <fmt/format.h>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/base/encoding.hpp"
#include "common/contract/identity.hpp"
#include "common/json/object.hpp"
#include "operator/reconcile/fingerprint.hpp"

namespace mailid::reconcile {
namespace {

using Json = nlohmann::json;
using Failed = base::Unexpected<catalogue::Failure>;

// What we need to know of a token later and the sidecar doesn't: beside the data, in the same object.
constexpr const char* kIssuedAt = "mailidentity.io/issued-at";
constexpr const char* kTokenRequest = "mailidentity.io/token-request";
constexpr const char* kRefreshSeen = "mailidentity.io/refresh-seen";
constexpr const char* kContent = "mailidentity.io/content";

/// The API server's text as a value whose strings are overwritten at its end: a Secret's data is in it.
class SecretJson {
 public:
  explicit SecretJson(std::string text) : value_(json::parse(text).value_or(Json())) { base::wipe(text); }
  SecretJson(const SecretJson&) = delete;
  SecretJson& operator=(const SecretJson&) = delete;
  ~SecretJson() {
    if (!value_.contains("data")) return;
    for (auto& item : value_["data"]) {
      if (item.is_string()) base::wipe(item.get_ref<std::string&>());
    }
  }

  bool is_object() const { return value_.is_object(); }

  const Json* member(const char* outer, const char* name) const {
    const auto found = value_.find(outer);
    if (found == value_.end() || !found->is_object()) return nullptr;
    const auto inner = found->find(name);
    return inner == found->end() ? nullptr : &*inner;
  }

  std::string text(const char* outer, const char* name) const {
    const auto* found = member(outer, name);
    return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
  }

  std::string annotation(const char* name) const {
    const auto* all = member("metadata", "annotations");
    if (all == nullptr || !all->is_object() || !all->contains(name)) return {};
    return (*all)[name].is_string() ? (*all)[name].get<std::string>() : std::string();
  }

  /// A value of `data`, decoded; nothing where it is missing or no base64.
  std::optional<base::Secret> data(const std::string& key) const {
    const auto* found = member("data", key.c_str());
    if (found == nullptr || !found->is_string()) return std::nullopt;
    auto bytes = base::base64_decode(found->get_ref<const std::string&>());
    if (!bytes) return std::nullopt;
    base::Secret secret(*bytes);
    base::wipe(*bytes);
    return secret;
  }

 private:
  Json value_;
};

Failed no_secret(std::string_view name) {
  return Failed{
      {catalogue::Reason::KubernetesUnavailable, fmt::format("the answer for Secret {} is none", name)}};
}

/// Who controls the Secret, and whether that is `identity`.
void read_owner(const SecretJson& object, const api::Metadata& identity, TokenSecret& secret) {
  const auto* owners = object.member("metadata", "ownerReferences");
  if (owners == nullptr || !owners->is_array()) return;
  for (const auto& owner : *owners) {
    if (!owner.is_object() || !owner.value("controller", Json()).is_boolean() ||
        !owner["controller"].get<bool>()) {
      continue;
    }
    const auto field = [&owner](const char* name) {
      const auto found = owner.find(name);
      return found != owner.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    secret.owner = fmt::format("{} {} with uid {}", field("kind"), field("name"), field("uid"));
    secret.ours = !identity.uid.empty() && field("uid") == identity.uid;
  }
}

std::string content_fingerprint(const StoredToken& token) {
  return fingerprint({token.value->reveal(), base::format_rfc3339(token.issued),
                      base::format_rfc3339(token.expires), token.request});
}

std::optional<StoredToken> read_token(const SecretJson& object) {
  auto value = object.data(std::string(contract::kTokenKey));
  const auto expires_text = object.data(std::string(contract::kExpiresAtKey));
  if (!value || value->empty() || !expires_text) return std::nullopt;
  const auto expires = base::parse_rfc3339(expires_text->reveal());
  const auto issued = base::parse_rfc3339(object.annotation(kIssuedAt));
  if (!expires || !issued) return std::nullopt;
  StoredToken token{std::make_shared<const base::Secret>(std::move(*value)), *issued, *expires,
                    object.annotation(kTokenRequest), object.annotation(kRefreshSeen)};
  // Also says that a token was changed in a way that looks right.
  if (content_fingerprint(token) != object.annotation(kContent)) return std::nullopt;
  return token;
}

void put(Json& data, std::string_view key, std::string_view bytes) {
  data[std::string(key)] = base::base64_encode(bytes);
}

Json secret_object(const api::Metadata& identity, const StoredToken& token, std::string_view settings) {
  Json owner = {{"apiVersion", api::kApiVersion},
                {"kind", api::kKind},
                {"name", identity.name},
                {"uid", identity.uid},
                {"controller", true}};
  Json annotations = {{kIssuedAt, base::format_rfc3339(token.issued)},
                      {kTokenRequest, token.request},
                      {kRefreshSeen, token.refresh},
                      {kContent, content_fingerprint(token)}};
  Json metadata = {{"name", api::token_secret_name(identity.name)},
                   {"namespace", identity.name_space},
                   {"labels", {{"app.kubernetes.io/managed-by", "mail-identity-operator"}}},
                   {"annotations", std::move(annotations)},
                   {"ownerReferences", Json::array({std::move(owner)})}};
  Json object = {
      {"apiVersion", "v1"}, {"kind", "Secret"}, {"type", "Opaque"}, {"metadata", std::move(metadata)}};
  put(object["data"], contract::kTokenKey, token.value->reveal());
  put(object["data"], contract::kExpiresAtKey, base::format_rfc3339(token.expires));
  put(object["data"], contract::kIdentityKey, settings);
  return object;
}

std::string dump_and_wipe(Json object) {
  // The identity's own strings come from JSON, so they are UTF-8; replaced all the same, because dump() throws.
  auto text = object.dump(-1, ' ', false, Json::error_handler_t::replace);
  base::wipe(object["data"][std::string(contract::kTokenKey)].get_ref<std::string&>());
  return text;
}

}  // namespace

catalogue::Result<TokenSecret> token_secret_from_json(std::string text, const api::Metadata& identity) {
  const SecretJson object(std::move(text));
  if (!object.is_object()) return no_secret(api::token_secret_name(identity.name));
  TokenSecret secret;
  secret.uid = object.text("metadata", "uid");
  secret.resource_version = object.text("metadata", "resourceVersion");
  if (secret.uid.empty() || secret.resource_version.empty()) {
    return no_secret(api::token_secret_name(identity.name));
  }
  read_owner(object, identity, secret);
  if (!secret.ours) return secret;
  secret.token = read_token(object);
  if (const auto settings = object.data(std::string(contract::kIdentityKey)))
    secret.settings = settings->reveal();
  return secret;
}

std::string new_token_secret(const api::Metadata& identity, const StoredToken& token,
                             std::string_view settings) {
  return dump_and_wipe(secret_object(identity, token, settings));
}

std::string changed_token_secret(const api::Metadata& identity, const TokenSecret& current,
                                 const StoredToken& token, std::string_view settings) {
  auto object = secret_object(identity, token, settings);
  object["metadata"]["uid"] = current.uid;
  object["metadata"]["resourceVersion"] = current.resource_version;
  return dump_and_wipe(std::move(object));
}

catalogue::Result<Credential> credential_from_json(std::string text, const api::SecretKeyRef& reference) {
  const SecretJson object(std::move(text));
  if (!object.is_object()) return no_secret(reference.name);
  const auto value = object.data(reference.key);
  auto bytes = value ? value->reveal() : std::string_view();
  if (bytes.ends_with('\n')) bytes.remove_suffix(1);
  if (bytes.ends_with('\r')) bytes.remove_suffix(1);
  if (bytes.empty()) {
    return Failed{{catalogue::Reason::CredentialKeyMissing,
                   fmt::format("Secret {}, key {}", reference.name, reference.key)}};
  }
  return Credential{fingerprint({object.text("metadata", "uid"), object.text("metadata", "resourceVersion"),
                                 reference.key}),
                    base::Secret(bytes)};
}

std::string secrets_path(std::string_view name_space) {
  return fmt::format("/api/v1/namespaces/{}/secrets", name_space);
}

}  // namespace mailid::reconcile
