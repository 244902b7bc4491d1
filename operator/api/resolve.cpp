#include "operator/api/resolve.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "operator/oauth/presets.hpp"

namespace mailid::api {
namespace {

using Failed = base::Unexpected<catalogue::Failure>;

constexpr std::string_view kTokenUrlField = "spec.provider.oauth2.tokenURL";
constexpr std::string_view kAuthorityField = "spec.provider.microsoft365.authorityHost";

Failed invalid(std::string_view field, std::string_view what) {
  return Failed{{catalogue::Reason::InvalidSpec, fmt::format("{} {}", field, what)}};
}

/// A tenant is part of the address, so nothing may be in it that would lead elsewhere.
bool is_tenant(std::string_view tenant) {
  const auto usable = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !tenant.empty() && tenant.front() != '.' && std::all_of(tenant.begin(), tenant.end(), usable);
}

/// Tenants that stand for any tenant; none of them gives tokens to an application by itself.
bool is_placeholder(std::string_view tenant) {
  return tenant == "common" || tenant == "organizations" || tenant == "consumers";
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const auto& word : words) all.append(all.empty() ? "" : " ").append(word);
  return all;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

catalogue::Result<base::Done> fill_in(const Microsoft365& provider, Resolved& resolved) {
  const auto* cloud = oauth::microsoft_cloud(provider.cloud);
  if (cloud == nullptr) return invalid("spec.provider.microsoft365.cloud", "must be Public");
  if (!is_tenant(provider.tenant) || is_placeholder(lower(provider.tenant))) {
    return invalid("spec.provider.microsoft365.tenant", "must be the tenant's ID or one of its domains");
  }
  const auto authority =
      provider.authority_host.empty() ? std::string(cloud->authority) : provider.authority_host;
  const auto url = oauth::parse_https_url(authority);
  if (!url) return invalid(kAuthorityField, url.error().context);
  if (url->path.find('?') != std::string::npos) return invalid(kAuthorityField, "must not have a query");

  resolved.provider = "Microsoft365";
  resolved.client_secret = provider.client_secret;
  resolved.request.token_url = oauth::microsoft_token_url(authority, provider.tenant);
  resolved.request.client_id = provider.client_id;
  resolved.request.scope = cloud->scope;
  resolved.request.authentication = oauth::ClientAuthentication::Post;
  resolved.identity.host = cloud->smtp_host;
  resolved.identity.port = cloud->smtp_port;
  return base::Done{};
}

catalogue::Result<base::Done> fill_in(const OAuth2& provider, Resolved& resolved) {
  const auto url = oauth::parse_https_url(provider.token_url);
  if (!url) return invalid(kTokenUrlField, url.error().context);

  resolved.provider = "OAuth2";
  resolved.client_secret = provider.client_secret;
  resolved.request.token_url = provider.token_url;
  resolved.request.client_id = provider.client_id;
  resolved.request.scope = joined(provider.scopes);
  resolved.request.authentication = provider.client_authentication;
  resolved.request.ca_bundle = provider.ca_bundle;
  return base::Done{};
}

}  // namespace

catalogue::Result<Resolved> resolve(std::string_view name, const Spec& spec) {
  Resolved resolved;
  const auto filled =
      std::visit([&resolved](const auto& provider) { return fill_in(provider, resolved); }, spec.provider);
  if (!filled) return Failed{filled.error()};

  auto& identity = resolved.identity;
  identity.name = name;
  identity.mailbox = spec.mailbox;
  identity.senders = spec.senders;
  if (!spec.smtp.host.empty()) identity.host = lower(spec.smtp.host);
  if (identity.host.empty())
    return invalid("spec.smtp.host", "must be given, because oauth2 has none of its own");
  if (!oauth::is_host(identity.host)) {
    return invalid("spec.smtp.host", "must be a DNS name or an address, without scheme and port");
  }
  identity.port = spec.smtp.port.value_or(identity.port);
  identity.mechanism = spec.smtp.mechanism.value_or(identity.mechanism);
  identity.ca_bundle = spec.smtp.ca_bundle;
  identity.deadline = spec.deadline.value_or(identity.deadline);
  identity.connections = spec.connections.value_or(identity.connections);
  identity.message_size = spec.message_size.value_or(identity.message_size);
  return resolved;
}

catalogue::Result<base::Done> check_hosts(const Resolved& resolved, const oauth::AllowedHosts& allowed) {
  const auto url = oauth::parse_https_url(resolved.request.token_url);
  if (!url) return Failed{url.error()};
  const auto field = resolved.provider == "OAuth2" ? kTokenUrlField : kAuthorityField;
  auto token_host = allowed.check(url->host, field);
  if (!token_host) return token_host;
  return allowed.check(resolved.identity.host, "spec.smtp.host");
}

}  // namespace mailid::api
