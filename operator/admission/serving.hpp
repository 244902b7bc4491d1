#pragma once

#include <optional>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/net/tls.hpp"
#include "operator/admission/authority.hpp"
#include "operator/kube/client.hpp"

namespace mailid::admission {

/// Who the webhook is in the cluster.
struct ServingNames {
  std::string dns_name;  ///< `<service>.<namespace>.svc`, what the API server expects in the certificate
  AuthoritySecret authority;
  std::string configuration;  ///< the MutatingWebhookConfiguration
};

/// Keeps the webhook reachable for the API server: authority, serving certificate and caBundle belong together.
///
/// Everything is looked at again in each round, so replicas agree soon after a person deletes the Secret or writes
/// over the caBundle. What can't be had leaves in place what was there.
class Serving {
 public:
  /// All references must outlive this; `tls` gets each new certificate.
  Serving(kube::Client& client, const base::Clock& clock, const base::Log& log, net::TlsServerContext& tls,
          ServingNames names);

  /// Looks once and repairs. To be called every few seconds, one call at a time.
  /// @return whether all is in place now
  asio::awaitable<bool> round();

  /// The caBundle that the API server was last seen to verify us against, PEM; empty before that.
  const std::string& bundle_in_api() const { return bundle_in_api_; }

 private:
  bool renew(const Certificate& authority);

  kube::Client* client_;
  const base::Clock* clock_;
  const base::Log* log_;
  net::TlsServerContext* tls_;
  ServingNames names_;
  std::string authority_pem_;  ///< whose certificate is in use
  base::Time due_;             ///< when that is to be replaced
  std::string bundle_in_api_;
};

}  // namespace mailid::admission
