#include "sidecar/delivery/verdict.hpp"

#include <array>
#include <fmt/format.h>
#include <string>

namespace mailid::delivery {
namespace {

using catalogue::Class;
using catalogue::Reason;

constexpr std::array<std::string_view, 4> kEndings{"accepted", "refused", "deferred", "unknown"};

/// The codes that we choose ourselves: where no relay gave any, and where its own may not reach the app.
struct Row {
  Reason reason;
  int code;
  std::string_view enhanced;
};

constexpr Row kDefault{Reason::RelayBusy, 451, "4.3.0"};

constexpr Row kRows[] = {
    // About this very message: permanent.
    {Reason::SenderNotAllowed, 550, "5.7.1"},
    {Reason::SmtpUtf8Missing, 550, "5.6.7"},
    {Reason::MessageTooLarge, 552, "5.3.4"},
    {Reason::TooManyRecipients, 452, "4.5.3"},
    // Everything else passes, or a person makes it pass.
    {Reason::IdentityMissing, 451, "4.7.0"},
    {Reason::TokenMissing, 451, "4.7.0"},
    {Reason::TokenExpired, 451, "4.7.0"},
    {Reason::LoginRejected, 451, "4.7.0"},
    {Reason::LoginPolicyBlocked, 451, "4.7.0"},
    {Reason::SmtpAuthDisabled, 451, "4.7.0"},
    {Reason::LoginUnavailable, 451, "4.7.0"},
    {Reason::LoginThrottled, 451, "4.7.0"},
    {Reason::NotAuthenticated, 451, "4.7.0"},
    {Reason::RelayCertificate, 451, "4.7.5"},
    {Reason::RelayTlsFailed, 451, "4.7.5"},
    {Reason::StartTlsMissing, 451, "4.7.4"},
    {Reason::StartTlsInjection, 451, "4.7.5"},
    {Reason::MechanismMissing, 451, "4.7.4"},
    {Reason::RelayUnreachable, 451, "4.4.1"},
    {Reason::RelayTimeout, 451, "4.4.2"},
    {Reason::RelayClosed, 451, "4.4.2"},
    {Reason::DeliveryStateUnknown, 451, "4.4.2"},
    {Reason::DeadlineExceeded, 451, "4.4.7"},
    {Reason::DiskFull, 452, "4.3.1"},
};

const Row& row_of(Reason reason) {
  for (const auto& row : kRows) {
    if (row.reason == reason) return row;
  }
  return kDefault;
}

Ending ending_of(const smtp::Reply& reply) {
  return reply.permanent() ? Ending::Refused : Ending::Deferred;
}

/// `535 5.7.3 Authentication unsuccessful`
std::string quote(const smtp::Reply& reply) {
  auto words = fmt::format("{}", reply.code);
  if (!reply.enhanced.empty()) words.append(" ").append(reply.enhanced);
  const auto text = reply.text();
  return text.empty() ? words : words.append(" ").append(text);
}

/// The class that the code has now, the subject and detail that the relay gave.
std::string with_class_4(const smtp::Reply& reply, std::string_view otherwise) {
  return reply.enhanced.empty() ? std::string(otherwise) : '4' + reply.enhanced.substr(1);
}

smtp::Reply word_for_word(smtp::Reply reply) {
  if (reply.code != 421) return reply;
  reply.enhanced = with_class_4(reply, "4.3.0");
  reply.code = 451;
  return reply;
}

smtp::Reply quoting(Reason reason, const smtp::Reply& reply) {
  const auto& entry = catalogue::entry(reason);
  return smtp::make_reply(451, with_class_4(reply, row_of(reason).enhanced),
                          fmt::format("{}: {}: {}", entry.code, entry.message, quote(reply)));
}

Verdict refused(const Refused& outcome, std::size_t recipients) {
  if (!outcome.reply) {
    return verdict_on(catalogue::Failure{outcome.reason, outcome.context});
  }
  const bool message = catalogue::entry(outcome.reason).cls == Class::Message;
  auto reply = message ? word_for_word(*outcome.reply) : quoting(outcome.reason, *outcome.reply);
  if (recipients > 1 && !outcome.recipient.empty()) {
    reply.lines.push_back(fmt::format("nothing was sent, because <{}> was refused", outcome.recipient));
  }
  return {ending_of(reply), std::move(reply), outcome.reason};
}

Verdict accepted(smtp::Reply reply) {
  reply.code = 250;
  if (!reply.enhanced.starts_with("2.")) reply.enhanced = "2.0.0";
  return {Ending::Accepted, std::move(reply), std::nullopt};
}

}  // namespace

std::string_view ending_name(Ending ending) {
  return kEndings[static_cast<std::size_t>(ending)];
}

Verdict verdict_on(const Outcome& outcome, std::size_t recipients) {
  if (const auto* yes = std::get_if<Accepted>(&outcome)) return accepted(yes->reply);
  if (const auto* no = std::get_if<Refused>(&outcome)) return refused(*no, recipients);
  auto verdict = verdict_on(Reason::DeliveryStateUnknown, "delivery state unknown");
  verdict.ending = Ending::Unknown;
  return verdict;
}

Verdict verdict_on(Reason reason, std::string_view words) {
  const auto& row = row_of(reason);
  auto reply = smtp::make_reply(row.code, row.enhanced, words);
  return {ending_of(reply), std::move(reply), reason};
}

Verdict verdict_on(const catalogue::Failure& failure) {
  return verdict_on(failure.reason,
                    fmt::format("{}: {}", catalogue::code(failure.reason), catalogue::describe(failure)));
}

}  // namespace mailid::delivery
