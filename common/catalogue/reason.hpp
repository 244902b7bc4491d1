#pragma once

#include <cstdint>

namespace mailid::catalogue {

/// Every failure we know. The enumerator's name is the reason code that users see in conditions, events, logs
/// and replies, and the heading in docs/troubleshooting.md. New ones go to the end of their group.
enum class Reason : std::uint8_t {
  // The token endpoint's answers (RFC 6749 section 5.2 and what providers add).
  InvalidClient,
  UnauthorizedClient,
  InvalidScope,
  InvalidGrant,
  InvalidTokenRequest,
  InteractionRequired,
  TokenEndpointRefused,
  TokenEndpointThrottled,
  TokenEndpointUnavailable,
  TokenEndpointUnreachable,
  TokenEndpointTimeout,
  TokenEndpointCertificate,
  TokenEndpointRedirected,
  TokenResponseTooLarge,
  TokenResponseInvalid,
  // Our own checks in the operator.
  HostNotAllowed,
  CredentialMissing,
  CredentialKeyMissing,
  SecretConflict,
  InvalidSpec,
  KubernetesUnavailable,
  // Reaching the relay and logging in.
  RelayUnreachable,
  RelayTimeout,
  RelayCertificate,
  RelayClosed,
  RelayProtocolError,
  StartTlsMissing,
  StartTlsInjection,
  MechanismMissing,
  LoginRejected,
  LoginPolicyBlocked,
  SmtpAuthDisabled,
  LoginUnavailable,
  LoginThrottled,
  NotAuthenticated,
  RelayTlsFailed,
  // The relay's replies to a message.
  RelayConnectionLimit,
  RelayRateLimit,
  RelayDailyLimit,
  RecipientRateLimit,
  RelayBusy,
  RelayCommandRejected,
  MailboxFull,
  AccountBlocked,
  SendAsDenied,
  SenderRejected,
  RecipientRejected,
  TooManyRecipients,
  MessageTooLarge,
  MessageRejected,
  SmtpUtf8Missing,
  DeliveryStateUnknown,
  // Our own checks in the sidecar.
  IdentityMissing,
  TokenMissing,
  TokenExpired,
  SenderNotAllowed,
  DeadlineExceeded,
  DiskFull,
  TooManyClients,
  // Injection.
  HostNetworkRefused,
  InvalidAnnotation,
  PodNotSupported,
};

}  // namespace mailid::catalogue
