#include "common/catalogue/relay_replies.hpp"

#include <gtest/gtest.h>
#include <ostream>

#include "common/catalogue/catalogue.hpp"

namespace mailid::catalogue {
namespace {

/// One reply as a provider sends it, taken apart as smtp::ReplyParser does.
struct Known {
  Step step;
  int code;
  std::string_view enhanced;
  std::string_view words;
  Reason reason;
};

std::ostream& operator<<(std::ostream& out, const Known& known) {
  return out << step_name(known.step) << ": " << known.code << ' ' << known.enhanced << ' ' << known.words;
}

class RelayReplies : public testing::TestWithParam<Known> {};

TEST_P(RelayReplies, AreKnown) {
  const Known& known = GetParam();
  EXPECT_EQ(code(classify_relay_reply(known.step, known.code, known.enhanced, known.words)),
            code(known.reason));
}

constexpr Known kMicrosoftLogin[] = {
    {Step::Auth, 535, "5.7.3", "Authentication unsuccessful [FR4P281CA0001.DEUP281.PROD.OUTLOOK.COM]",
     Reason::LoginRejected},
    {Step::Auth, 535, "5.7.139",
     "Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit "
     "https://aka.ms/smtp_auth_disabled for more information.",
     Reason::SmtpAuthDisabled},
    {Step::Auth, 535, "5.7.139",
     "Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.",
     Reason::SmtpAuthDisabled},
    {Step::Auth, 535, "5.7.139", "Authentication unsuccessful, basic authentication is disabled.",
     Reason::LoginPolicyBlocked},
    {Step::Auth, 535, "5.7.139",
     "Authentication unsuccessful, user is locked by your organization's security defaults policy.",
     Reason::LoginPolicyBlocked},
    {Step::Auth, 535, "5.7.139",
     "Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully.",
     Reason::LoginPolicyBlocked},
    {Step::Auth, 535, "5.7.139", "Authentication unsuccessful, account locked", Reason::LoginPolicyBlocked},
    {Step::Auth, 535, "5.7.139", "the federated STS is not reachable", Reason::LoginPolicyBlocked},
    {Step::Auth, 535, "5.7.142", "Token will expire soon", Reason::LoginRejected},
    {Step::Auth, 535, "5.7.143", "Token expired", Reason::LoginRejected},
    {Step::Auth, 535, "5.7.144", "Invalid API permissions", Reason::LoginPolicyBlocked},
    {Step::Mail, 550, "5.7.240", "App is not allowed for this account", Reason::LoginPolicyBlocked},
    {Step::Mail, 550, "5.7.30", "Basic authentication is not supported for Client Submission.",
     Reason::LoginPolicyBlocked},
    {Step::Auth, 501, "5.5.121", "Malformed", Reason::RelayCommandRejected},
    {Step::Auth, 504, "5.7.4", "Unrecognized authentication type", Reason::RelayCommandRejected},
    {Step::Auth, 454, "4.7.0", "Temporary authentication failure", Reason::LoginUnavailable},
    {Step::Auth, 451, "4.7.0", "Temporary server error. Please try again later. PRX2",
     Reason::LoginUnavailable},
    {Step::Mail, 530, "5.7.57",
     "Client was not authenticated to send mail. Error: 535 5.7.3 Authentication unsuccessful",
     Reason::NotAuthenticated},
    {Step::Mail, 530, "5.7.57", "Client not authenticated to send anonymous mail during MAIL FROM",
     Reason::NotAuthenticated},
    {Step::Dot, 430, "4.2.0",
     "STOREDRV; mailbox logon failure; failure code: 1100; failure reason: MapiExceptionLogonFailed",
     Reason::LoginRejected},
};
INSTANTIATE_TEST_SUITE_P(MicrosoftLogin, RelayReplies, testing::ValuesIn(kMicrosoftLogin));

constexpr Known kMicrosoftRates[] = {
    {Step::Dot, 432, "4.3.2", "STOREDRV.ClientSubmit; sender thread limit exceeded",
     Reason::RelayConnectionLimit},
    {Step::Mail, 432, "4.3.2",
     "Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending",
     Reason::RelayConnectionLimit},
    {Step::Dot, 432, "4.3.2", "STOREDRV.Deliver; recipient thread limit exceeded", Reason::RelayBusy},
    {Step::Mail, 421, "4.4.2", "Message submission rate for this client has exceeded the configured limit",
     Reason::RelayRateLimit},
    {Step::Dot, 554, "5.2.0", "STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
     Reason::RelayDailyLimit},
    {Step::Dot, 554, "5.2.2", "Submission quota exceeded", Reason::RelayDailyLimit},
    {Step::Dot, 550, "5.1.90", "Your message can't be sent because you've reached your daily limit",
     Reason::RelayDailyLimit},
    {Step::Dot, 550, "5.7.233", "Your message can't be sent because your tenant exceeded its daily limit",
     Reason::RelayDailyLimit},
    {Step::Dot, 550, "5.7.232", "trial tenant", Reason::RelayDailyLimit},
    {Step::Rcpt, 550, "5.2.121", "Recipient's per hour message receive limit exceeded",
     Reason::RecipientRateLimit},
    {Step::Rcpt, 550, "5.2.122", "Recipient's per hour message receive limit exceeded",
     Reason::RecipientRateLimit},
    {Step::Mail, 451, "4.7.500", "Server busy. Please try again later", Reason::RelayRateLimit},
    {Step::Rcpt, 451, "4.7.699", "Access denied, please try again later", Reason::RelayRateLimit},
    {Step::Greeting, 421, "4.7.850", "Access denied", Reason::RelayRateLimit},
    {Step::Greeting, 421, "4.7.899", "Access denied", Reason::RelayRateLimit},
};
INSTANTIATE_TEST_SUITE_P(MicrosoftRates, RelayReplies, testing::ValuesIn(kMicrosoftRates));

constexpr Known kMicrosoftMessages[] = {
    {Step::Dot, 550, "5.7.60", "SMTP; Client does not have permissions to send as this sender",
     Reason::SendAsDenied},
    {Step::Dot, 554, "5.2.252", "SendAsDenied; billing@contoso.test not allowed to send as ceo@contoso.test",
     Reason::SendAsDenied},
    {Step::Dot, 554, "5.2.0", "STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
     Reason::SendAsDenied},
    {Step::Dot, 554, "5.2.2",
     "mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
     Reason::MailboxFull},
    {Step::Mail, 554, "5.2.2", "mailbox full", Reason::MailboxFull},
    {Step::Rcpt, 552, "5.2.2", "The recipient's mailbox is full", Reason::RecipientRejected},
    {Step::Dot, 554, "5.2.270", "MapiExceptionMaxSubmissionExceeded", Reason::MessageTooLarge},
    {Step::Mail, 552, "5.3.4", "Message size exceeds fixed maximum message size", Reason::MessageTooLarge},
    {Step::Dot, 554, "5.3.4", "too big", Reason::MessageTooLarge},
    {Step::Dot, 552, "", "too big", Reason::MessageTooLarge},
    {Step::Dot, 554, "5.2.0", "STOREDRV.Submission.Exception:OutboundSpamException", Reason::AccountBlocked},
    {Step::Dot, 550, "5.1.8", "Access denied, bad outbound sender", Reason::AccountBlocked},
    {Step::Mail, 550, "5.7.501", "Access denied, spam abuse detected", Reason::AccountBlocked},
    {Step::Mail, 550, "5.7.502", "Access denied, banned sender", Reason::AccountBlocked},
    {Step::Mail, 550, "5.7.503", "Access denied, banned sender", Reason::AccountBlocked},
    {Step::Mail, 550, "5.7.511", "Access denied, banned sender", Reason::AccountBlocked},
    {Step::Dot, 550, "5.7.705", "Access denied, tenant has exceeded threshold", Reason::AccountBlocked},
    {Step::Dot, 550, "5.7.708", "Access denied, traffic not accepted from this IP", Reason::AccountBlocked},
    {Step::Dot, 550, "5.7.750", "Client blocked from sending from unregistered domains",
     Reason::AccountBlocked},
    {Step::Dot, 550, "5.7.703", "Your message can't be delivered because it was blocked by the tenant's list",
     Reason::MessageRejected},
    {Step::Dot, 550, "5.7.512", "Access denied, message must be RFC 5322 section 3.6.2 compliant",
     Reason::MessageRejected},
    {Step::Dot, 550, "5.1.20", "Multiple From addresses are not allowed", Reason::MessageRejected},
    {Step::Dot, 550, "5.6.11", "Invalid characters", Reason::MessageRejected},
    {Step::Rcpt, 452, "4.5.3", "Too many recipients", Reason::TooManyRecipients},
    {Step::Rcpt, 550, "5.5.3", "Too many recipients", Reason::TooManyRecipients},
    {Step::Rcpt, 550, "5.1.1", "User unknown", Reason::RecipientRejected},
    {Step::Rcpt, 550, "5.1.10", "RESOLVER.ADR.RecipientNotFound", Reason::RecipientRejected},
    {Step::Rcpt, 550, "5.4.1", "Recipient address rejected: Access denied", Reason::RecipientRejected},
    {Step::Rcpt, 550, "5.5.0", "Requested action not taken: mailbox unavailable", Reason::RecipientRejected},
    {Step::Dot, 550, "5.1.10", "RESOLVER.ADR.RecipientNotFound", Reason::RecipientRejected},
    {Step::Mail, 501, "5.1.7", "Invalid address", Reason::SenderRejected},
    {Step::Rcpt, 501, "5.1.3", "Invalid address", Reason::RecipientRejected},
    {Step::Mail, 451, "4.7.0", "Temporary server error. Please try again later. PRX5", Reason::RelayBusy},
    {Step::Mail, 421, "4.3.2", "Service not active", Reason::RelayBusy},
    {Step::Data, 421, "4.4.2", "Connection dropped due to timeout", Reason::RelayClosed},
    {Step::Mail, 452, "4.3.1", "Insufficient system resources", Reason::RelayBusy},
};
INSTANTIATE_TEST_SUITE_P(MicrosoftMessages, RelayReplies, testing::ValuesIn(kMicrosoftMessages));

constexpr Known kGoogle[] = {
    {Step::Auth, 535, "5.7.8", "Username and Password not accepted. - gsmtp", Reason::LoginRejected},
    {Step::Auth, 535, "5.7.1", "Username and Password not accepted. - gsmtp", Reason::LoginRejected},
    {Step::Auth, 534, "5.7.9", "Application-specific password required.", Reason::LoginPolicyBlocked},
    {Step::Auth, 534, "5.7.14", "Please log in via your web browser and then try again.",
     Reason::LoginPolicyBlocked},
    {Step::Auth, 454, "4.7.0", "Too many login attempts, please try again later. - gsmtp",
     Reason::LoginThrottled},
    {Step::Auth, 421, "4.7.0", "Too many attempts", Reason::LoginThrottled},
    {Step::Greeting, 421, "4.7.0", "Try again later, closing connection.", Reason::RelayBusy},
    {Step::Mail, 421, "4.3.0", "Temporary System Problem.  Try again later.", Reason::RelayBusy},
    {Step::Mail, 421, "4.4.5", "Server busy, try again later.", Reason::RelayBusy},
    {Step::Mail, 451, "4.3.0", "Mail server temporarily rejected message.", Reason::RelayBusy},
    {Step::Rcpt, 450, "4.2.1", "The user you are trying to contact is receiving mail too quickly.",
     Reason::RecipientRateLimit},
    {Step::Rcpt, 550, "5.2.1",
     "The user you are trying to contact is receiving mail at a rate that prevents additional messages from "
     "being",
     Reason::RecipientRateLimit},
    {Step::Dot, 450, "4.2.1", "Peak SMTP relay limit exceeded for customer.", Reason::RelayRateLimit},
    {Step::Dot, 421, "4.7.28", "Our system has detected an unusual rate of unsolicited mail",
     Reason::RelayRateLimit},
    {Step::Rcpt, 452, "4.2.2", "The email account that you tried to reach is over quota", Reason::RelayBusy},
    {Step::Rcpt, 452, "4.5.3", "Your message has too many recipients.", Reason::TooManyRecipients},
    {Step::Dot, 550, "5.4.5", "Daily user sending limit exceeded.", Reason::RelayDailyLimit},
    {Step::Dot, 550, "5.4.5", "Daily SMTP relay limit exceeded for user.", Reason::RelayDailyLimit},
    {Step::Dot, 550, "5.7.1", "Daily SMTP relay limit exceeded for customer.", Reason::RelayDailyLimit},
    {Step::Mail, 550, "5.7.1", "Invalid credentials for relay [203.0.113.7].", Reason::LoginPolicyBlocked},
    {Step::Dot, 552, "5.2.3", "Your message exceeded Google's message size limits.", Reason::MessageTooLarge},
    {Step::Dot, 552, "5.7.0",
     "This message was blocked because its content presents a potential security issue.",
     Reason::MessageRejected},
    {Step::Dot, 550, "5.7.1", "This message was blocked by policy. - gcdp", Reason::MessageRejected},
    {Step::Mail, 530, "5.7.0", "Authentication Required.", Reason::NotAuthenticated},
};
INSTANTIATE_TEST_SUITE_P(Google, RelayReplies, testing::ValuesIn(kGoogle));

constexpr Known kOthers[] = {
    {Step::Greeting, 421, "4.7.0", "up.test Error: too many connections from 203.0.113.7",
     Reason::RelayConnectionLimit},
    {Step::Greeting, 554, "5.7.1", "Access denied", Reason::RelayCommandRejected},
    {Step::Ehlo, 502, "5.5.1", "Command not implemented", Reason::RelayCommandRejected},
    {Step::StartTls, 454, "4.7.0", "TLS not available due to local problem", Reason::RelayBusy},
    {Step::StartTls, 502, "5.5.1", "Error: command not implemented", Reason::StartTlsMissing},
    {Step::Auth, 535, "5.7.8", "Error: authentication failed: (reason unavailable)", Reason::LoginRejected},
    {Step::Auth, 535, "", "Error: Username and Password not accepted", Reason::LoginRejected},
    {Step::Auth, 454, "4.7.0", "Temporary authentication failure: Connection lost to authentication server",
     Reason::LoginUnavailable},
    {Step::Auth, 432, "4.7.12", "A password transition is needed", Reason::LoginPolicyBlocked},
    {Step::Auth, 534, "5.7.9", "Authentication mechanism is too weak", Reason::LoginPolicyBlocked},
    {Step::Auth, 538, "5.7.11", "Encryption required for requested authentication mechanism",
     Reason::RelayCommandRejected},
    {Step::Auth, 500, "5.5.2", "Line too long", Reason::RelayCommandRejected},
    {Step::Auth, 550, "", "no", Reason::LoginRejected},
    {Step::Mail, 553, "5.7.1", "<ceo@contoso.test>: Sender address rejected: not owned by user billing",
     Reason::SendAsDenied},
    {Step::Rcpt, 553, "5.7.1", "<ceo@contoso.test>: Sender address rejected: not owned by user billing",
     Reason::SendAsDenied},
    {Step::Mail, 550, "5.1.8", "<x@y.test>: Sender address rejected: Domain not found",
     Reason::SenderRejected},
    {Step::Mail, 504, "5.5.2", "<x>: Sender address rejected: need fully-qualified address",
     Reason::SenderRejected},
    {Step::Rcpt, 504, "5.5.2", "<x>: Recipient address rejected: need fully-qualified address",
     Reason::RecipientRejected},
    {Step::Mail, 553, "5.6.7", "Must use SMTPUTF8", Reason::SmtpUtf8Missing},
    {Step::Mail, 555, "5.5.4", "Unsupported option: SIZE=1", Reason::RelayCommandRejected},
    {Step::Rcpt, 503, "5.5.1", "Error: need MAIL command", Reason::RelayCommandRejected},
    {Step::Rcpt, 450, "4.7.1", "Greylisted, come back in 5 minutes", Reason::RelayBusy},
    {Step::Mail, 451, "4.7.1", "Rate limit exceeded", Reason::RelayRateLimit},
    {Step::Mail, 451, "", "throttled", Reason::RelayRateLimit},
};
INSTANTIATE_TEST_SUITE_P(Others, RelayReplies, testing::ValuesIn(kOthers));

constexpr Step kSteps[] = {Step::Connect, Step::Greeting, Step::Ehlo, Step::StartTls, Step::Auth,
                           Step::Mail,    Step::Rcpt,     Step::Data, Step::Dot};

TEST(ClassifyRelayReply, BlamesNoMessageBeforeMail) {
  for (const Step step : {Step::Connect, Step::Greeting, Step::Ehlo, Step::StartTls, Step::Auth}) {
    for (int code = 400; code < 600; ++code) {
      EXPECT_NE(entry(classify_relay_reply(step, code, "", "")).cls, Class::Message)
          << step_name(step) << code;
    }
  }
}

TEST(ClassifyRelayReply, BlamesTheMessageForWhatItDoesNotKnow) {
  for (const Step step : {Step::Mail, Step::Rcpt, Step::Data, Step::Dot}) {
    for (const int code : {550, 551, 553, 554, 556, 571}) {
      EXPECT_EQ(entry(classify_relay_reply(step, code, "5.9.9", "strange")).cls, Class::Message) << code;
    }
  }
}

TEST(ClassifyRelayReply, TakesAnUnknown4xxForPassing) {
  for (const Step step : kSteps) {
    for (int code = 400; code < 500; ++code) {
      const auto cls = entry(classify_relay_reply(step, code, "4.9.9", "strange")).cls;
      EXPECT_TRUE(cls == Class::Transient || cls == Class::Rate) << step_name(step) << ' ' << code;
    }
  }
}

TEST(ClassifyRelayReply, NeverBlamesTheMessageForACommand) {
  for (const Step step : kSteps) {
    for (const int code : {500, 501, 502, 503, 504, 530, 535, 421}) {
      EXPECT_NE(entry(classify_relay_reply(step, code, "", "")).cls, Class::Message)
          << step_name(step) << code;
    }
  }
}

TEST(ClassifyRelayReply, TakesNoOtherCodeForARefusal) {
  for (const int code : {0, 199, 250, 354, 399, 600, 999}) {
    EXPECT_EQ(classify_relay_reply(Step::Mail, code, "", ""), Reason::RelayProtocolError) << code;
  }
}

TEST(StepName, IsThatOfTheField) {
  EXPECT_EQ(step_name(Step::Connect), "connect");
  EXPECT_EQ(step_name(Step::StartTls), "STARTTLS");
  EXPECT_EQ(step_name(Step::Rcpt), "RCPT");
  EXPECT_EQ(step_name(Step::Dot), "end of data");
}

}  // namespace
}  // namespace mailid::catalogue
