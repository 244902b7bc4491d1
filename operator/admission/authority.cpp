#include "operator/admission/authority.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/base/encoding.hpp"
#include "common/json/object.hpp"

namespace mailid::admission {
namespace {

using std::chrono::hours;

// Renewing the authority before its end needs a time in which the bundle holds both; that comes with the renewal.
constexpr hours kAuthorityLife{24 * 365 * 10};
constexpr hours kServingLife{24 * 7};
constexpr hours kClockSkew{1};

constexpr const char* kCertificateKey = "tls.crt";
constexpr const char* kPrivateKeyKey = "tls.key";

std::string collection(const AuthoritySecret& secret) {
  return fmt::format("/api/v1/namespaces/{}/secrets", secret.secret_namespace);
}

std::string described(const AuthoritySecret& secret) {
  return fmt::format("Secret {}/{}", secret.secret_namespace, secret.name);
}

std::string secret_object(const AuthoritySecret& secret, const Certificate& authority) {
  nlohmann::json object = {{"apiVersion", "v1"},
                           {"kind", "Secret"},
                           {"metadata",
                            {{"name", secret.name},
                             {"namespace", secret.secret_namespace},
                             {"labels", {{"app.kubernetes.io/managed-by", "mail-identity-operator"}}}}},
                           {"type", "kubernetes.io/tls"},
                           {"data", {{kCertificateKey, base::base64_encode(authority.certificate_pem)}}}};
  auto key = base::base64_encode(authority.key_pem.reveal());
  object["data"][kPrivateKeyKey] = key;
  base::wipe(key);
  auto text = object.dump();
  base::wipe(object["data"][kPrivateKeyKey].get_ref<std::string&>());
  return text;
}

CertificateResult read_secret(const AuthoritySecret& secret, std::string text, base::Time now) {
  auto object = json::parse(text);
  base::wipe(text);
  if (!object) return base::Unexpected{described(secret) + " is not JSON"};
  std::vector<std::string> wrong;
  const auto data = json::Object(*object, "secret", wrong).object("data");
  auto key_base64 = data.text(kPrivateKeyKey, std::size_t{64} * 1024).value_or("");
  auto key = base::base64_decode(key_base64).value_or("");
  base::wipe(key_base64);
  Certificate authority;
  authority.certificate_pem =
      base::base64_decode(data.text(kCertificateKey, std::size_t{64} * 1024).value_or("")).value_or("");
  authority.key_pem = base::Secret(key);
  base::wipe(key);
  if (const auto trouble = authority_trouble(authority, now)) {
    return base::Unexpected{
        fmt::format("{} holds no usable certificate authority: {}; delete it and a new one is made",
                    described(secret), *trouble)};
  }
  return authority;
}

std::string unreadable(const AuthoritySecret& secret, const kube::Status& status) {
  return fmt::format("{}: {} {}", described(secret), status.reason, status.message);
}

}  // namespace

asio::awaitable<CertificateResult> ensure_authority(kube::Client& client, AuthoritySecret secret,
                                                    const base::Clock& clock) {
  const auto path = fmt::format("{}/{}", collection(secret), secret.name);
  auto found = co_await client.get(path);
  if (!found && !found.error().not_found()) co_return base::Unexpected{unreadable(secret, found.error())};
  if (found) co_return read_secret(secret, std::move(*found), clock.now());

  const auto now = clock.now();
  const Validity validity{now - kClockSkew, now + kAuthorityLife};
  auto made = make_authority("mail-identity-operator webhook", validity);
  if (!made) co_return made;
  const auto created = co_await client.create(collection(secret), secret_object(secret, *made));
  if (created) co_return made;
  if (!created.error().already_exists()) co_return base::Unexpected{unreadable(secret, created.error())};

  found = co_await client.get(path);
  if (!found) co_return base::Unexpected{unreadable(secret, found.error())};
  co_return read_secret(secret, std::move(*found), clock.now());
}

CertificateResult issue_serving(const Certificate& authority, const std::string& dns_name, base::Time now) {
  return issue(authority, dns_name, {now - kClockSkew, now + kServingLife});
}

base::Time renewal_time(std::string_view certificate_pem, base::Time now) {
  const auto end = expiry(certificate_pem).value_or(now);
  return end <= now ? now : now + (end - now) * 2 / 3;
}

}  // namespace mailid::admission
