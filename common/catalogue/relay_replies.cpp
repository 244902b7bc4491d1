#include "common/catalogue/relay_replies.hpp"

#include <algorithm>

namespace mailid::catalogue {
namespace {

/// The steps that a row is about, first and last.
struct Steps {
  Step first;
  Step last;
};
constexpr Steps kAny{Step::Connect, Step::Dot};
constexpr Steps kBeforeMail{Step::Connect, Step::Auth};
constexpr Steps kStartTls{Step::StartTls, Step::StartTls};
constexpr Steps kAuth{Step::Auth, Step::Auth};
constexpr Steps kTransaction{Step::Mail, Step::Dot};
constexpr Steps kMail{Step::Mail, Step::Mail};
constexpr Steps kRcpt{Step::Rcpt, Step::Rcpt};
constexpr Steps kBody{Step::Data, Step::Dot};

struct Row {
  Steps steps;
  int code;                   ///< 535, or 5 for every 5xx, or 0 for every refusal
  std::string_view enhanced;  ///< `5.7.139`; `?` is one digit; empty: whatever it is
  std::string_view words;     ///< in the text, without regard to case; empty: whatever it says
  Reason reason;
};

// The first row that fits counts, so the particular stands before the general.
constexpr Row kRows[] = {
    // Too many connections or messages: whatever the step, the identity must slow down. What is too much for a recipient
    // slows nobody else.
    {kAuth, 432, "4.7.12", "", Reason::LoginPolicyBlocked},
    {kAny, 432, "", "recipient thread limit", Reason::RelayBusy},
    {kAny, 432, "", "", Reason::RelayConnectionLimit},
    {kAny, 4, "", "sender thread limit", Reason::RelayConnectionLimit},
    {kAny, 4, "", "concurrent connections", Reason::RelayConnectionLimit},
    {kAny, 4, "", "too many connections", Reason::RelayConnectionLimit},
    {kAny, 4, "", "too many concurrent", Reason::RelayConnectionLimit},
    {kAny, 4, "", "too many login", Reason::LoginThrottled},
    {kAuth, 421, "4.7.0", "too many", Reason::LoginThrottled},
    {kTransaction, 0, "", "you are trying to contact is receiving", Reason::RecipientRateLimit},
    {kTransaction, 5, "5.2.121", "", Reason::RecipientRateLimit},
    {kTransaction, 5, "5.2.122", "", Reason::RecipientRateLimit},
    {kAny, 4, "", "submission rate", Reason::RelayRateLimit},
    {kAny, 4, "", "rate limit", Reason::RelayRateLimit},
    {kAny, 4, "", "unusual rate", Reason::RelayRateLimit},
    {kAny, 4, "", "throttl", Reason::RelayRateLimit},
    {kAny, 450, "4.2.1", "", Reason::RelayRateLimit},
    {kAny, 4, "4.7.5??", "", Reason::RelayRateLimit},
    {kAny, 4, "4.7.6??", "", Reason::RelayRateLimit},
    {kAny, 4, "4.7.85?", "", Reason::RelayRateLimit},
    {kAny, 4, "4.7.86?", "", Reason::RelayRateLimit},
    {kAny, 4, "4.7.87?", "", Reason::RelayRateLimit},
    {kAny, 4, "4.7.88?", "", Reason::RelayRateLimit},
    {kAny, 4, "4.7.89?", "", Reason::RelayRateLimit},

    // What a day allows is used up: the reply is a 5xx, but tomorrow the same message passes.
    {kAny, 0, "", "SubmissionQuotaExceeded", Reason::RelayDailyLimit},
    {kAny, 0, "", "submission quota", Reason::RelayDailyLimit},
    {kAny, 0, "", "daily smtp relay limit", Reason::RelayDailyLimit},
    {kAny, 0, "", "daily user sending limit", Reason::RelayDailyLimit},
    {kAny, 5, "5.4.5", "", Reason::RelayDailyLimit},
    {kAny, 5, "5.1.90", "", Reason::RelayDailyLimit},
    {kAny, 5, "5.7.232", "", Reason::RelayDailyLimit},
    {kAny, 5, "5.7.233", "", Reason::RelayDailyLimit},

    // Logging in.
    {kAny, 5, "", "SmtpClientAuthentication is disabled", Reason::SmtpAuthDisabled},
    {kAny, 5, "5.7.139", "", Reason::LoginPolicyBlocked},
    {kAny, 5, "5.7.144", "", Reason::LoginPolicyBlocked},
    {kAny, 5, "5.7.240", "", Reason::LoginPolicyBlocked},
    {kAny, 5, "5.7.30", "", Reason::LoginPolicyBlocked},
    {kAny, 5, "", "basic authentication is", Reason::LoginPolicyBlocked},
    {kAny, 5, "", "invalid credentials for relay", Reason::LoginPolicyBlocked},
    {kAny, 534, "", "", Reason::LoginPolicyBlocked},
    {kAny, 535, "", "", Reason::LoginRejected},
    {kAuth, 530, "", "", Reason::NotAuthenticated},
    {kAuth, 538, "", "", Reason::RelayCommandRejected},
    {kTransaction, 530, "", "", Reason::NotAuthenticated},
    {kTransaction, 5, "5.7.57", "", Reason::NotAuthenticated},
    // The login itself worked, but the application has no permission on the mailbox: passes by itself only while
    // the provider's caches are old.
    {kTransaction, 4, "", "mailbox logon failure", Reason::LoginRejected},
    {kTransaction, 4, "", "MapiExceptionLogonFailed", Reason::LoginRejected},

    // The account may not send.
    {kAny, 5, "", "OutboundSpamException", Reason::AccountBlocked},
    {kAny, 5, "", "bad outbound sender", Reason::AccountBlocked},
    {kAny, 5, "5.7.501", "", Reason::AccountBlocked},
    {kAny, 5, "5.7.502", "", Reason::AccountBlocked},
    {kAny, 5, "5.7.503", "", Reason::AccountBlocked},
    {kAny, 5, "5.7.511", "", Reason::AccountBlocked},
    {kAny, 5, "5.7.705", "", Reason::AccountBlocked},
    {kAny, 5, "5.7.708", "", Reason::AccountBlocked},
    {kAny, 5, "5.7.750", "", Reason::AccountBlocked},
    // At RCPT a full mailbox is the recipient's, else the sender's own.
    {kMail, 5, "5.2.2", "", Reason::MailboxFull},
    {kBody, 5, "", "QuotaExceededException", Reason::MailboxFull},
    {kBody, 5, "", "mailbox full", Reason::MailboxFull},
    {kBody, 5, "5.2.2", "", Reason::MailboxFull},

    // This very message.
    {kTransaction, 5, "", "SendAsDenied", Reason::SendAsDenied},
    {kTransaction, 5, "5.7.60", "", Reason::SendAsDenied},
    {kTransaction, 5, "5.2.252", "", Reason::SendAsDenied},
    {kTransaction, 5, "", "not owned by user", Reason::SendAsDenied},
    {kTransaction, 5, "5.6.7", "", Reason::SmtpUtf8Missing},
    {kTransaction, 0, "4.5.3", "", Reason::TooManyRecipients},
    {kTransaction, 0, "5.5.3", "", Reason::TooManyRecipients},
    {kTransaction, 5, "5.2.3", "", Reason::MessageTooLarge},
    {kTransaction, 5, "5.2.270", "", Reason::MessageTooLarge},
    {kTransaction, 5, "5.3.4", "", Reason::MessageTooLarge},
    {kBody, 552, "5.7.?", "", Reason::MessageRejected},
    {kMail, 552, "", "", Reason::MessageTooLarge},
    {kBody, 552, "", "", Reason::MessageTooLarge},
    {kTransaction, 5, "5.7.703", "", Reason::MessageRejected},
    {kTransaction, 5, "5.7.512", "", Reason::MessageRejected},
    {kTransaction, 5, "5.1.20", "", Reason::MessageRejected},
    {kTransaction, 5, "5.6.11", "", Reason::MessageRejected},
    {kBody, 5, "5.1.1", "", Reason::RecipientRejected},
    {kBody, 5, "5.1.10", "", Reason::RecipientRejected},
    {kBody, 5, "5.4.1", "", Reason::RecipientRejected},
    // An address that the relay can't read comes with codes that else mean our own command.
    {kMail, 501, "5.1.?", "", Reason::SenderRejected},
    {kRcpt, 501, "5.1.?", "", Reason::RecipientRejected},
    {kMail, 504, "", "fully-qualified", Reason::SenderRejected},
    {kRcpt, 504, "", "fully-qualified", Reason::RecipientRejected},

    // The relay does not take a command that every submission service must take.
    {kStartTls, 5, "", "", Reason::StartTlsMissing},
    {kAny, 500, "", "", Reason::RelayCommandRejected},
    {kAny, 501, "", "", Reason::RelayCommandRejected},
    {kAny, 502, "", "", Reason::RelayCommandRejected},
    {kAny, 503, "", "", Reason::RelayCommandRejected},
    {kAny, 504, "", "", Reason::RelayCommandRejected},
    {kAny, 555, "", "", Reason::RelayCommandRejected},

    // What no row above knows.
    {kAuth, 4, "", "", Reason::LoginUnavailable},
    {kAuth, 5, "", "", Reason::LoginRejected},
    {kBeforeMail, 5, "", "", Reason::RelayCommandRejected},
    {kAny, 421, "4.4.2", "", Reason::RelayClosed},
    {kAny, 4, "", "", Reason::RelayBusy},
    {kMail, 5, "", "", Reason::SenderRejected},
    {kRcpt, 5, "", "", Reason::RecipientRejected},
    {kBody, 5, "", "", Reason::MessageRejected},
};

constexpr std::string_view kStepNames[] = {"connect", "greeting", "EHLO", "STARTTLS",   "AUTH",
                                           "MAIL",    "RCPT",     "DATA", "end of data"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool fits_code(int pattern, int code) {
  return pattern == 0 || pattern == code || pattern == code / 100;
}

bool fits_enhanced(std::string_view pattern, std::string_view enhanced) {
  const auto same = [](char p, char c) { return p == c || (p == '?' && c >= '0' && c <= '9'); };
  return pattern.empty() ||
         std::equal(pattern.begin(), pattern.end(), enhanced.begin(), enhanced.end(), same);
}

bool contains(std::string_view text, std::string_view words) {
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  return words.empty() ||
         std::search(text.begin(), text.end(), words.begin(), words.end(), same) != text.end();
}

}  // namespace

std::string_view step_name(Step step) {
  return kStepNames[static_cast<std::size_t>(step)];
}

Reason classify_relay_reply(Step step, int code, std::string_view enhanced, std::string_view words) {
  if (code < 400 || code > 599) return Reason::RelayProtocolError;
  const auto* const row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& known) {
    return known.steps.first <= step && step <= known.steps.last && fits_code(known.code, code) &&
           fits_enhanced(known.enhanced, enhanced) && contains(words, known.words);
  });
  // The last rows take every code at every step, so there always is one.
  return row == std::end(kRows) ? Reason::RelayProtocolError : row->reason;
}

}  // namespace mailid::catalogue
