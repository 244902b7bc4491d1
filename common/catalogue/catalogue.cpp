#include "common/catalogue/catalogue.hpp"

#include <iterator>

namespace mailid::catalogue {
namespace {

// Written for somebody who is woken at three in the morning: which thing, where, and how long to wait.
constexpr Entry kEntries[] = {
    // The token endpoint's answers.
    {Reason::InvalidClient, "InvalidClient", Class::Configuration,
     "The token endpoint does not accept the client ID or its secret",
     "Put the client secret's Value (not its Secret ID) into the referenced Secret, check that it has not "
     "expired "
     "and that clientID is the Application (client) ID."},
    {Reason::UnauthorizedClient, "UnauthorizedClient", Class::Configuration,
     "The token endpoint knows no such application here, or the application may not use this grant",
     "Check tenant and clientID against the app registration, that its enterprise application is enabled, "
     "and that "
     "an administrator has consented where API permissions are used."},
    {Reason::InvalidScope, "InvalidScope", Class::Configuration,
     "The token endpoint does not grant the scope that was asked for",
     "Use exactly one scope that the application may have; for Microsoft 365 the tenant needs Exchange "
     "Online."},
    {Reason::InvalidGrant, "InvalidGrant", Class::Configuration,
     "The token endpoint says that the grant has expired or was revoked",
     "Renew what the credential stands for (secret, consent or sign-in); for client credentials check that "
     "the "
     "tokenURL is the right one."},
    {Reason::InvalidTokenRequest, "InvalidTokenRequest", Class::Configuration,
     "The token endpoint does not understand the request",
     "Check tenant, tokenURL and clientAuthentication (Basic or Post) against the provider's documentation."},
    {Reason::InteractionRequired, "InteractionRequired", Class::Configuration,
     "A policy of the tenant (MFA, Conditional Access, security defaults) stops this application",
     "Ask the tenant's administrator to exclude this application from the policy; nothing can be fixed in "
     "the "
     "cluster."},
    {Reason::TokenEndpointRefused, "TokenEndpointRefused", Class::Configuration,
     "The token endpoint refused the request with an answer that is not OAuth2",
     "Check that tokenURL is the provider's token endpoint, and that no proxy or firewall answers in its "
     "place."},
    {Reason::TokenEndpointThrottled, "TokenEndpointThrottled", Class::Rate,
     "The token endpoint asks us to slow down",
     "Wait: the operator tries again when the endpoint allows it, and the old token stays in use as long as "
     "it "
     "lives."},
    {Reason::TokenEndpointUnavailable, "TokenEndpointUnavailable", Class::Transient,
     "The token endpoint has trouble of its own",
     "Wait: the operator tries again by itself; look at the provider's status page if it lasts."},
    {Reason::TokenEndpointUnreachable, "TokenEndpointUnreachable", Class::Transient,
     "The operator can't connect to the token endpoint",
     "Check DNS, egress policies and firewalls for the operator's namespace to the endpoint's port 443."},
    {Reason::TokenEndpointTimeout, "TokenEndpointTimeout", Class::Transient,
     "The token endpoint did not answer within 10 seconds",
     "Check firewalls that drop packets silently between the operator and the endpoint; the operator tries "
     "again "
     "by itself."},
    {Reason::TokenEndpointCertificate, "TokenEndpointCertificate", Class::Configuration,
     "The token endpoint's TLS certificate can't be trusted",
     "If the endpoint uses a private CA, add it as caBundle (or as the operator's extra CA); else find out "
     "who "
     "answers in its place."},
    {Reason::TokenEndpointRedirected, "TokenEndpointRedirected", Class::Configuration,
     "The token endpoint answered with a redirect, which is never followed with a credential",
     "Set tokenURL (or authorityHost) to the final https address."},
    {Reason::TokenResponseTooLarge, "TokenResponseTooLarge", Class::Transient,
     "The token endpoint's answer is larger than 64 KiB",
     "Check that tokenURL is the provider's token endpoint and not a web page or a download."},
    {Reason::TokenResponseInvalid, "TokenResponseInvalid", Class::Transient,
     "The token endpoint's answer holds no usable token",
     "Check that tokenURL is the provider's token endpoint, and that no proxy or login page answers in its "
     "place."},
    // Our own checks in the operator.
    {Reason::HostNotAllowed, "HostNotAllowed", Class::Configuration,
     "The operator may not send credentials or mail to this host",
     "Ask the cluster's administrator to add the host to the chart's value allowedHosts."},
    {Reason::CredentialMissing, "CredentialMissing", Class::Configuration,
     "The Secret that the identity refers to does not exist",
     "Create the Secret in the identity's own namespace, or correct clientSecretRef.name; it is looked for "
     "once a "
     "minute."},
    {Reason::CredentialKeyMissing, "CredentialKeyMissing", Class::Configuration,
     "The referenced Secret has no such key, or the key is empty",
     "Add the key to the Secret, or correct clientSecretRef.key; it is looked for once a minute."},
    {Reason::SecretConflict, "SecretConflict", Class::Configuration,
     "A Secret with the token's name exists already and does not belong to this identity",
     "Delete or rename that Secret, or give the identity another name; the operator never overwrites it."},
    {Reason::InvalidSpec, "InvalidSpec", Class::Configuration, "The identity's spec can't be used as it is",
     "Correct the field that is named and apply the identity again."},
    {Reason::KubernetesUnavailable, "KubernetesUnavailable", Class::Transient,
     "The Kubernetes API did not do what the operator asked",
     "Wait: the operator tries again by itself; if it lasts, check the operator's RBAC and the API server."},
    // Reaching the relay and logging in.
    {Reason::RelayUnreachable, "RelayUnreachable", Class::Transient, "No connection to the relay can be made",
     "Check DNS, egress policies and firewalls from the pod's namespace to smtp.host and its port (587)."},
    {Reason::RelayTimeout, "RelayTimeout", Class::Transient, "The relay did not answer in time",
     "Check the path to the relay for firewalls that drop packets silently; the message is tried again."},
    {Reason::RelayCertificate, "RelayCertificate", Class::Configuration,
     "The relay's TLS certificate can't be trusted, so no credential was sent",
     "Use the name that is in the certificate as smtp.host; for a private CA set smtp.caBundle; else find "
     "out who "
     "answers in the relay's place."},
    {Reason::RelayClosed, "RelayClosed", Class::Transient, "The relay closed the connection",
     "Wait: a new connection is made by itself; if it lasts, check limits and blocks at the relay."},
    {Reason::RelayProtocolError, "RelayProtocolError", Class::Transient, "The relay's answer is not SMTP",
     "Check that smtp.host and smtp.port lead to a submission service with STARTTLS (587), not to a proxy or "
     "to "
     "port 465."},
    {Reason::StartTlsMissing, "StartTlsMissing", Class::Configuration,
     "The relay does not offer STARTTLS, so no credential was sent",
     "Check smtp.host and smtp.port (587); if they are right, a middlebox strips STARTTLS and must be told "
     "not to."},
    {Reason::StartTlsInjection, "StartTlsInjection", Class::Configuration,
     "Bytes came between the relay's answer to STARTTLS and the TLS handshake, so the connection was given "
     "up",
     "Somebody between pod and relay adds data: treat it as an attack until the middlebox is found."},
    {Reason::MechanismMissing, "MechanismMissing", Class::Configuration,
     "The relay does not offer the login mechanism that the identity needs",
     "Set smtp.mechanism to what the relay offers after STARTTLS (XOAUTH2 or OAUTHBEARER), or enable OAuth2 "
     "at the "
     "relay."},
    {Reason::LoginRejected, "LoginRejected", Class::Account, "The relay rejected the token for this mailbox",
     "Check that the token's scopes and audience are those of this relay and that its owner may use the "
     "mailbox. With Microsoft 365: that the service principal was made with the enterprise application's "
     "Object ID and that SMTP AUTH is on; changes in Exchange take up to 2 h to be seen."},
    {Reason::LoginPolicyBlocked, "LoginPolicyBlocked", Class::Configuration,
     "A policy of the provider (security defaults, Conditional Access, account lock) blocks the login",
     "Ask the tenant's administrator to allow this application to send as this mailbox."},
    {Reason::SmtpAuthDisabled, "SmtpAuthDisabled", Class::Configuration,
     "SMTP AUTH is switched off for this mailbox or for the whole tenant",
     "Run `Set-CASMailbox <mailbox> -SmtpClientAuthenticationDisabled $false` in Exchange Online PowerShell; "
     "it "
     "takes up to an hour."},
    {Reason::LoginUnavailable, "LoginUnavailable", Class::Transient,
     "The relay can't check logins at the moment", "Wait: the login is tried again by itself."},
    {Reason::LoginThrottled, "LoginThrottled", Class::Rate, "The relay saw too many logins of this account",
     "Wait some minutes; if it lasts, look for other clients that log in to this mailbox."},
    {Reason::NotAuthenticated, "NotAuthenticated", Class::Account,
     "The relay says that the connection is not logged in",
     "Wait: a new login is made; if it lasts, treat it as LoginRejected."},
    {Reason::RelayTlsFailed, "RelayTlsFailed", Class::Transient,
     "No TLS session could be made or kept with the relay, so no credential was sent",
     "Check that the relay speaks TLS 1.2 or newer on smtp.port, and that no middlebox takes part in TLS."},
    // The relay's replies to a message.
    {Reason::RelayConnectionLimit, "RelayConnectionLimit", Class::Rate,
     "Too many connections send for this mailbox at once",
     "Lower limits.connections so that all pods together stay within the provider's limit (Microsoft 365: 3 "
     "for a "
     "mailbox), or use one identity and mailbox for each workload."},
    {Reason::RelayRateLimit, "RelayRateLimit", Class::Rate,
     "The mailbox sends faster than the provider allows",
     "Wait: sending goes on more slowly (Microsoft 365: 30 messages a minute for a mailbox); spread the load "
     "over "
     "more mailboxes."},
    {Reason::RelayDailyLimit, "RelayDailyLimit", Class::Rate,
     "The mailbox or its tenant has used up what it may send in a day",
     "Wait until the provider's 24 hours have passed, or spread the load over more mailboxes."},
    {Reason::RecipientRateLimit, "RecipientRateLimit", Class::Rate,
     "A recipient gets more mail than its own provider lets it take",
     "Send less often to this recipient; nothing was sent to the other recipients of the message either."},
    {Reason::RelayBusy, "RelayBusy", Class::Transient, "The relay can't take the message at the moment",
     "Wait: the message is tried again."},
    {Reason::RelayCommandRejected, "RelayCommandRejected", Class::Configuration,
     "The relay does not understand or allow a command that was needed",
     "Check that smtp.host and smtp.port lead to the provider's submission service; if they do, report it "
     "with the "
     "relay's words."},
    {Reason::MailboxFull, "MailboxFull", Class::Configuration,
     "The sending mailbox is full, so it can't send",
     "Empty Sent Items of the mailbox and give it a retention policy."},
    {Reason::AccountBlocked, "AccountBlocked", Class::Configuration,
     "The provider has blocked this sender or its tenant",
     "Look at the provider's list of restricted senders, find out why it was blocked (maybe the account is "
     "compromised), then unblock it there."},
    {Reason::SendAsDenied, "SendAsDenied", Class::Message, "The mailbox may not send as this address",
     "Send with the mailbox's own address in envelope and From, or give the service principal SendAs on the "
     "other "
     "address."},
    {Reason::SenderRejected, "SenderRejected", Class::Message,
     "The relay does not take mail from this sender",
     "Check the sender's address and the rules of the relay."},
    {Reason::RecipientRejected, "RecipientRejected", Class::Message,
     "The relay does not take mail for this recipient",
     "Correct the recipient's address; nothing was sent to the other recipients either."},
    {Reason::TooManyRecipients, "TooManyRecipients", Class::Message,
     "The message has more recipients than the relay takes at once",
     "Split the message into several with fewer recipients."},
    {Reason::MessageTooLarge, "MessageTooLarge", Class::Message,
     "The message is larger than the relay or the mailbox allows",
     "Make the message smaller, or raise the mailbox's limit at the provider and limits.messageSize with "
     "it."},
    {Reason::MessageRejected, "MessageRejected", Class::Message, "The relay refused this message for good",
     "Read the relay's words: they are about this message's content, sender or recipients."},
    {Reason::SmtpUtf8Missing, "SmtpUtf8Missing", Class::Message,
     "An address needs SMTPUTF8 and the relay does not offer it",
     "Use addresses in ASCII, or a relay that offers SMTPUTF8."},
    {Reason::DeliveryStateUnknown, "DeliveryStateUnknown", Class::Transient,
     "The message was handed over and no answer came, so nobody knows whether it was taken",
     "Look into Sent Items or the relay's trace before the app sends it again: it may arrive twice."},
    // Our own checks in the sidecar.
    {Reason::IdentityMissing, "IdentityMissing", Class::Configuration,
     "The pod's identity does not exist or was never ready",
     "Create the MailIdentity with the label's name in the pod's namespace, and look at its conditions."},
    {Reason::TokenMissing, "TokenMissing", Class::Transient, "The sidecar has no token yet",
     "Look at the MailIdentity's conditions; a fresh token reaches the pod within 2 minutes."},
    {Reason::TokenExpired, "TokenExpired", Class::Transient, "The token has expired and no new one has come",
     "Look at the MailIdentity's condition TokenFresh: it says why the operator can't renew it."},
    {Reason::SenderNotAllowed, "SenderNotAllowed", Class::Message, "The identity does not allow this sender",
     "Send with the identity's mailbox as sender, or add the address to senders.allowed."},
    {Reason::DeadlineExceeded, "DeadlineExceeded", Class::Transient,
     "The message could not be delivered within the deadline",
     "Read what is named as the last trouble; raise delivery.deadline only if the app waits longer than "
     "that."},
    {Reason::DiskFull, "DiskFull", Class::Transient, "The sidecar has no room to hold the message",
     "Send fewer large messages at once, or free space on the node."},
    {Reason::TooManyClients, "TooManyClients", Class::Rate,
     "The app has more connections open than the sidecar serves",
     "Let the app reuse or close its SMTP connections."},
    // Injection.
    {Reason::HostNetworkRefused, "HostNetworkRefused", Class::Configuration,
     "A pod with hostNetwork would offer the sidecar's port to the whole node",
     "Remove hostNetwork from the pod, or send from a pod of its own."},
    {Reason::InvalidAnnotation, "InvalidAnnotation", Class::Configuration,
     "A mailidentity.io label or annotation of the pod can't be used",
     "Correct the value that is named, and create the pod again."},
    {Reason::PodNotSupported, "PodNotSupported", Class::Configuration, "This pod can't have the mail sidecar",
     "Remove what is named, or the label mailidentity.io/identity, from the pod."},
};

constexpr bool in_the_order_of_reason() {
  for (std::size_t i = 0; i < std::size(kEntries); ++i) {
    if (static_cast<std::size_t>(kEntries[i].reason) != i) return false;
  }
  return true;
}
static_assert(in_the_order_of_reason(), "entry() looks a reason up by its place");

}  // namespace

std::span<const Entry> entries() {
  return kEntries;
}

const Entry& entry(Reason reason) {
  return entries()[static_cast<std::size_t>(reason)];
}

std::string_view code(Reason reason) {
  return entry(reason).code;
}

std::string describe(const Failure& failure) {
  const Entry& known = entry(failure.reason);
  std::string text(known.message);
  if (!failure.context.empty()) text.append(": ").append(failure.context);
  if (!text.ends_with('.')) text += '.';
  return text.append(" ").append(known.cure);
}

}  // namespace mailid::catalogue
