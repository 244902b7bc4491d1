#pragma once

#include <memory>
#include <string>
#include <utility>

#include "operator/reconcile/decide.hpp"
#include "operator/reconcile/fingerprint.hpp"

namespace mailid::reconcile {

/// An identity with which everything is well, ten minutes after its token of an hour was issued. Tests change what
/// their sentence is about.
inline Observation all_is_well() {
  api::OAuth2 provider;
  provider.token_url = "https://login.contoso.test/token";
  provider.client_id = "app-1";
  provider.client_secret = {"app", "client-secret"};
  api::Spec spec;
  spec.mailbox = "billing@contoso.test";
  spec.provider = std::move(provider);
  spec.smtp.host = "smtp.contoso.test";

  api::Metadata metadata;
  metadata.name = "billing";
  metadata.name_space = "shop";
  metadata.uid = "uid-1";
  metadata.generation = 3;
  api::MailIdentity identity{std::move(metadata), std::move(spec), {}};
  api::Condition verified{
      std::string(api::kLoginVerified), api::ConditionStatus::True, "LoginVerified", "It works.", 3, {}};
  identity.status.conditions.push_back(std::move(verified));

  Settings settings;
  settings.allowed_hosts = oauth::AllowedHosts({"*.contoso.test"});
  auto wish = desired(identity, settings);
  const base::Time now{std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)};
  TokenSecret secret;
  secret.uid = "uid-2";
  secret.resource_version = "7";
  secret.ours = true;
  secret.token = StoredToken{std::make_shared<const base::Secret>("token"),
                             now - std::chrono::minutes(10),
                             now + std::chrono::minutes(50),
                             wish->request,
                             {}};
  secret.settings = wish->settings;
  auto status = identity.status;
  return {now,
          42,
          std::move(identity),
          std::move(status),
          std::move(wish),
          std::optional<TokenSecret>(std::move(secret)),
          std::nullopt,
          std::nullopt};
}

inline StoredToken& stored_token(Observation& seen) {
  return *(*seen.secret)->token;
}

/// A failure of `attempt` a second ago, to be tried again in a minute.
inline api::LastFailure just_failed(const Observation& seen, std::string attempt, std::string reason) {
  return {seen.now - std::chrono::seconds(1), 1, std::move(reason), seen.now + std::chrono::minutes(1),
          std::move(attempt)};
}

inline void give_credential(Observation& seen, std::string version = "v1") {
  seen.credential.emplace(Credential{std::move(version), base::Secret("secret")});
}

}  // namespace mailid::reconcile
