#pragma once

#include <string>

#include "common/base/clock.hpp"
#include "common/net/asio.hpp"
#include "operator/admission/certificates.hpp"
#include "operator/kube/client.hpp"

namespace mailid::admission {

/// The Secret that all replicas of the webhook share their certificate authority through.
struct AuthoritySecret {
  std::string secret_namespace;
  std::string name;
};

/// The certificate authority of the webhook: read from its Secret, or made and written there once. Replicas that
/// start together agree: whoever comes second with its POST gets AlreadyExists and reads. Nothing that is there is
/// ever overwritten; what is there and unusable is an error that names the Secret.
asio::awaitable<CertificateResult> ensure_authority(kube::Client& client, AuthoritySecret secret,
                                                    const base::Clock& clock);

/// A serving certificate of `authority` for `dns_name`, valid for a week from now (an hour before, for clocks that
/// don't agree).
CertificateResult issue_serving(const Certificate& authority, const std::string& dns_name, base::Time now);

/// When a serving certificate that was issued at `now` should be replaced: after two thirds of its life.
base::Time renewal_time(std::string_view certificate_pem, base::Time now);

}  // namespace mailid::admission
