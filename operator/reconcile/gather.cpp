#include "operator/reconcile/gather.hpp"

#include <fmt/format.h>
#include <utility>

#include "operator/reconcile/decide.hpp"
#include "operator/reconcile/fingerprint.hpp"

namespace mailid::reconcile {
namespace {

using FoundSecret = catalogue::Result<std::optional<TokenSecret>>;

asio::awaitable<FoundSecret> read_token_secret(kube::Client& client, const api::Metadata& identity) {
  const auto path =
      fmt::format("{}/{}", secrets_path(identity.name_space), api::token_secret_name(identity.name));
  auto answer = co_await client.get(path);
  if (!answer && answer.error().not_found()) co_return std::nullopt;
  if (!answer) co_return base::Unexpected{kube_failure("GET " + path, answer.error())};
  auto secret = token_secret_from_json(std::move(*answer), identity);
  if (!secret) co_return base::Unexpected{std::move(secret).error()};
  co_return std::optional<TokenSecret>(std::move(*secret));
}

asio::awaitable<catalogue::Result<Credential>> read_credential(kube::Client& client, std::string name_space,
                                                               api::SecretKeyRef reference) {
  const auto path = fmt::format("{}/{}", secrets_path(name_space), reference.name);
  auto answer = co_await client.get(path);
  if (answer) co_return credential_from_json(std::move(*answer), reference);
  if (!answer.error().not_found()) co_return base::Unexpected{kube_failure("GET " + path, answer.error())};
  catalogue::Failure missing{catalogue::Reason::CredentialMissing,
                             fmt::format("Secret {} in namespace {}", reference.name, name_space)};
  co_return base::Unexpected{std::move(missing)};
}

}  // namespace

ObjectName object_name(const std::string& key) {
  const auto slash = key.find('/');
  if (slash == std::string::npos) return {{}, key};
  return {key.substr(0, slash), key.substr(slash + 1)};
}

catalogue::Failure kube_failure(const std::string& tried, const kube::Status& status) {
  return {catalogue::Reason::KubernetesUnavailable,
          fmt::format("{}: {} {}", tried, status.reason, status.message)};
}

asio::awaitable<kube::Result<std::optional<Observation>>> gather(Sources sources, ObjectName name) {
  api::Metadata wanted;
  wanted.name_space = name.name_space;
  wanted.name = name.name;
  auto answer = co_await sources.client->get(api::path_of(wanted));
  if (!answer && answer.error().not_found()) co_return std::nullopt;
  if (!answer) co_return base::Unexpected{std::move(answer).error()};
  auto identity = api::mail_identity_from_json(*answer);
  if (!identity) {
    kube::Status unreadable{0, "Unreadable", identity.error().context, {}};
    co_return base::Unexpected{std::move(unreadable)};
  }

  auto secret = co_await read_token_secret(*sources.client, identity->metadata);
  auto wish = desired(*identity, *sources.settings);
  auto failure = identity->status.last_failure;
  auto status = identity->status;
  Observation seen{sources.clock->now(), stable_hash({name.name_space, name.name}),
                   std::move(*identity), std::move(status),
                   std::move(wish),      std::move(secret),
                   std::nullopt,         std::move(failure)};
  if (seen.desired && !secret_not_ours(seen) && !why_token(seen).empty()) {
    seen.credential = co_await read_credential(*sources.client, seen.identity.metadata.name_space,
                                               seen.desired->resolved.client_secret);
  }
  co_return std::optional<Observation>(std::move(seen));
}

}  // namespace mailid::reconcile
