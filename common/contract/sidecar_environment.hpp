#pragma once

#include <cstdint>

namespace mailid::contract {

/// How an injected sidecar is told what it is for: the environment that the webhook gives it and that
/// `mail-sidecar` and `mail-sidecar probe` read. A name that is set here is never given another meaning: images and
/// pods outlive an upgrade of the operator.
inline constexpr const char* kIdentityVariable = "MAIL_SIDECAR_IDENTITY";  ///< the pod's default identity
inline constexpr const char* kIdentitiesVariable =
    "MAIL_SIDECAR_IDENTITIES";  ///< the pod's other identities, with commas; left out where there are none
inline constexpr const char* kIdentityDirVariable =
    "MAIL_SIDECAR_IDENTITY_DIR";                                              ///< a folder for each identity
inline constexpr const char* kSpoolDirVariable = "MAIL_SIDECAR_SPOOL_DIR";    ///< where bodies go, writable
inline constexpr const char* kSmtpPortVariable = "MAIL_SIDECAR_SMTP_PORT";    ///< on the loopback addresses
inline constexpr const char* kAdminPortVariable = "MAIL_SIDECAR_ADMIN_PORT";  ///< /healthz /readyz /metrics
inline constexpr const char* kAcceptAuthVariable =
    "MAIL_SIDECAR_ACCEPT_AUTH";  ///< `true`: take any AUTH PLAIN or LOGIN, for apps that insist; else left out

/// What the webhook does not set; for standalone use, tests and a changed image.
inline constexpr const char* kCaPathVariable =
    "MAIL_SIDECAR_CA_PATH";  ///< public roots: hashed folder or PEM file
inline constexpr const char* kLogLevelVariable = "MAIL_SIDECAR_LOG_LEVEL";  ///< debug, info, warning or error

inline constexpr const char* kIdentityDir = "/var/run/mail-identity";
inline constexpr const char* kSpoolDir = "/var/spool/mail-identity";
/// Octets that bodies may take there: 80 % of the emptyDir that the webhook gives, because the kubelet evicts a pod
/// that takes all of it.
inline constexpr std::uint64_t kSpoolCapacity = 800ULL * 1024 * 1024;
inline constexpr const char* kCaPath = "/etc/ssl/certs";
inline constexpr std::uint16_t kSmtpPort = 2525;
inline constexpr std::uint16_t kAdminPort = 9587;

}  // namespace mailid::contract
