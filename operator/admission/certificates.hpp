#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/expected.hpp"
#include "common/base/secret.hpp"

namespace mailid::admission {

/// A certificate and its private key, both PEM.
struct Certificate {
  std::string certificate_pem;
  base::Secret key_pem;
};

/// A certificate, or a sentence why there is none.
using CertificateResult = base::Expected<Certificate, std::string>;

/// From when until when a certificate is valid.
struct Validity {
  base::Time from;
  base::Time until;
};

/// A new certificate authority: ECDSA P-256, self-signed, may sign leaves only.
CertificateResult make_authority(const std::string& name, Validity validity);

/// A serving certificate for one DNS name, with a new ECDSA P-256 key, signed by `authority`. It never outlives it.
CertificateResult issue(const Certificate& authority, const std::string& dns_name, Validity validity);

/// When the certificate ends; nothing where the text holds none.
std::optional<base::Time> expiry(std::string_view certificate_pem);

/// What makes this certificate and key unfit to sign with at `now`; nothing where they are fit.
std::optional<std::string> authority_trouble(const Certificate& authority, base::Time now);

}  // namespace mailid::admission
