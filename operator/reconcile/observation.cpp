#include "operator/reconcile/observation.hpp"

#include <utility>

#include "operator/reconcile/fingerprint.hpp"

namespace mailid::reconcile {
namespace {

void append_pem(std::string& bundle, const std::string& more) {
  if (!bundle.empty() && !more.empty() && !bundle.ends_with('\n')) bundle += '\n';
  bundle += more;
}

}  // namespace

std::string request_fingerprint(const api::Resolved& resolved) {
  const auto& request = resolved.request;
  const bool basic = request.authentication == oauth::ClientAuthentication::Basic;
  return fingerprint({request.token_url, request.client_id, request.scope, basic ? "Basic" : "Post",
                      resolved.client_secret.name, resolved.client_secret.key});
}

catalogue::Result<Desired> desired(const api::MailIdentity& identity, const Settings& settings) {
  if (!identity.spec) return base::Unexpected{identity.spec.error()};
  auto resolved = api::resolve(identity.metadata.name, *identity.spec);
  if (!resolved) return base::Unexpected{std::move(resolved).error()};
  if (auto allowed = api::check_hosts(*resolved, settings.allowed_hosts); !allowed) {
    return base::Unexpected{std::move(allowed).error()};
  }
  append_pem(resolved->request.ca_bundle, settings.token_ca);
  append_pem(resolved->identity.ca_bundle, settings.smtp_ca);

  Desired wanted{std::move(*resolved), {}, {}};
  wanted.settings = contract::to_json(wanted.resolved.identity);
  // A sidecar that can't read its settings would be worse than an identity that isn't ready.
  if (auto readable = contract::identity_from_json(wanted.settings); !readable) {
    return base::Unexpected{std::move(readable).error()};
  }
  wanted.request = request_fingerprint(wanted.resolved);
  return wanted;
}

std::string Observation::refresh() const {
  const auto& annotations = identity.metadata.annotations;
  const auto found = annotations.find(api::kRefreshAnnotation);
  // Hashed, because people may write anything of any length there and we keep it.
  return found == annotations.end() ? std::string() : fingerprint({found->second});
}

}  // namespace mailid::reconcile
