#include "sidecar/delivery/delivery.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

#include "sidecar/delivery/message_header.hpp"
#include "sidecar/delivery/redact.hpp"
#include "sidecar/delivery/sender_policy.hpp"
#include "sidecar/delivery/trace_header.hpp"

namespace mailid::delivery {
namespace {

using catalogue::Failure;
using catalogue::Reason;

constexpr std::string_view kMessages = "mail_sidecar_messages_total";
constexpr std::string_view kDuration = "mail_sidecar_delivery_duration_seconds";
constexpr std::string_view kAmbiguous = "mail_sidecar_ambiguous_total";

// What a log line quotes of strangers' words.
constexpr std::size_t kMaxQuoted = 300;

void describe_metrics(base::Metrics& metrics) {
  metrics.describe_counter(kMessages, "Messages that the app was given an answer for, by result.");
  metrics.describe_histogram(kDuration, "Time from the app's final dot to its answer.",
                             {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 600});
  metrics.describe_counter(kAmbiguous, "Messages handed to the relay whose fate nobody knows.");
  for (const auto ending : {Ending::Accepted, Ending::Refused, Ending::Deferred, Ending::Unknown}) {
    metrics.add(kMessages, {{"result", ending_name(ending)}}, 0);
  }
  metrics.add(kAmbiguous, {}, 0);
}

/// The relay's words for the log. Its yes is quoted as it is but for this message's own addresses, because its name
/// for the message often looks like one.
std::string quote(const Verdict& verdict, const server::Envelope& envelope) {
  const auto& reply = verdict.reply;
  const bool accepted = verdict.ending == Ending::Accepted;
  const auto words =
      accepted ? redact_these(reply.text(), envelope.recipients) : redact_addresses(reply.text());
  return fmt::format("{}{}{} {}", reply.code, reply.enhanced.empty() ? "" : " ", reply.enhanced,
                     words.substr(0, kMaxQuoted));
}

std::string first_recipient(const server::Envelope& envelope) {
  return envelope.recipients.empty() ? std::string() : base::redact_address(envelope.recipients.front());
}

std::string sender(const server::Envelope& envelope) {
  return envelope.sender.empty() ? std::string("<>") : base::redact_address(envelope.sender);
}

/// The Message-ID that the app gave the message; empty where it gave none, or the message can't be read.
std::string given_message_id(const spool::Body& body) {
  const auto header = read_header(body);
  if (!header) return {};
  return parse_message_header(*header).message_id.substr(0, kMaxQuoted);
}

}  // namespace

/// Keeps a message on the list of those under way while it is handled, however that ends.
class Delivery::UnderWay {
 public:
  UnderWay(std::map<std::string, const Job*>& list, const Job& job) : list_(&list), id_(job.id) {
    list.emplace(id_, &job);
  }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay() { list_->erase(id_); }

 private:
  std::map<std::string, const Job*>* list_;
  std::string id_;
};

Delivery::Delivery(std::vector<std::string> identities, Surroundings around)
    : names_(std::move(identities)),
      preferred_(names_.front()),
      around_(around),
      transport_(around.transport, around.timer, around.random, around.log) {
  describe_metrics(around_.metrics);
}

template <class T>
T Delivery::largest(T contract::Identity::* limit) const {
  std::optional<T> most;
  for (const auto& name : around_.identities.names()) {
    const auto credentials = around_.identities.current(name);
    if (credentials) most = std::max(most.value_or(0), (*credentials)->settings.*limit);
  }
  return most.value_or(contract::Identity{}.*limit);
}

std::uint64_t Delivery::message_size_limit() const {
  // An identity that can't be used at the moment may take more: its mail is to be told why, and not that it is too large.
  const auto usable = [this](const auto& name) { return around_.identities.current(name).has_value(); };
  if (!std::ranges::all_of(names_, usable)) return contract::kLargestMessageSize;
  return largest(&contract::Identity::message_size);
}

std::uint32_t Delivery::recipient_limit() const {
  return largest(&contract::Identity::recipients);
}

std::optional<Failure> Delivery::not_known_yet() const {
  for (const auto& name : names_) {
    const auto credentials = around_.identities.current(name);
    if (credentials) continue;
    const auto reason = credentials.error().reason;
    if (reason == Reason::IdentityMissing || reason == Reason::TokenMissing) return credentials.error();
  }
  return std::nullopt;
}

std::optional<smtp::Reply> Delivery::check_sender(const server::Envelope& envelope) const {
  const auto name = around_.identities.pick(envelope.sender, preferred_);
  const auto credentials = around_.identities.current(name);
  // Without an identity nobody knows; the answer to the message will say why.
  if (!credentials) return std::nullopt;
  const auto forbidden = forbidden_envelope((*credentials)->settings, envelope.sender);
  if (!forbidden || not_known_yet()) return std::nullopt;
  return verdict_on(Reason::SenderNotAllowed, *forbidden).reply;
}

void Delivery::turned_away(const server::Envelope& envelope, const smtp::Reply& reply, Reason reason) const {
  const Verdict verdict{reply.permanent() ? Ending::Refused : Ending::Deferred, reply, reason};
  around_.metrics.add(kMessages, {{"result", ending_name(verdict.ending)}});
  around_.log.warning(fmt::format("message {}", ending_name(verdict.ending)),
                      {{"identity", around_.identities.pick(envelope.sender, preferred_)},
                       {"from", sender(envelope)},
                       {"to", first_recipient(envelope)},
                       {"recipients", envelope.recipients.size()},
                       {"reason", catalogue::code(reason)},
                       {"reply", quote(verdict, envelope)}});
}

asio::awaitable<smtp::Reply> Delivery::deliver(const server::Envelope& envelope, const spool::Body& body,
                                               std::stop_token app_gone) {
  Job job{&envelope, body.size(), base::random_hex(around_.random, 8), around_.timer.now(),
          std::move(app_gone)};
  const UnderWay under_way(under_way_, job);
  auto verdict = co_await handle(envelope, body, job);
  // Who looks for a message that went nowhere has only the app's name for it.
  if (job.message_id.empty()) job.message_id = given_message_id(body);
  report(job, verdict);
  co_return std::move(verdict.reply);
}

asio::awaitable<Verdict> Delivery::handle(const server::Envelope& envelope, const spool::Body& body,
                                          Job& job) {
  job.identity = around_.identities.pick(envelope.sender, preferred_);
  // Kept whole for all attempts, whatever the kubelet brings meanwhile.
  const auto credentials = around_.identities.current(job.identity);
  if (!credentials) co_return verdict_on(credentials.error());
  const auto& settings = (*credentials)->settings;
  auto trace = admit(settings, body, job);
  if (!trace) co_return std::move(trace).error();

  std::optional<server::Envelope> from_mailbox;
  if (envelope.sender.empty()) from_mailbox.emplace(envelope).sender = settings.mailbox;
  const auto* outgoing = from_mailbox ? &*from_mailbox : &envelope;
  const Message message{outgoing, std::move(*trace), &body, job.app_gone};
  const auto outcome = co_await transport_.send(settings, message, job.begun + settings.deadline);
  co_return verdict_on(outcome, envelope.recipients.size());
}

base::Expected<std::string, Verdict> Delivery::admit(const contract::Identity& settings,
                                                     const spool::Body& body, Job& job) const {
  using No = base::Unexpected<Verdict>;
  const auto& envelope = *job.envelope;
  if (const auto forbidden = forbidden_envelope(settings, envelope.sender)) {
    if (const auto unknown = not_known_yet()) return No{verdict_on(*unknown)};
    return No{verdict_on(Reason::SenderNotAllowed, *forbidden)};
  }
  if (body.size() > settings.message_size) {
    return No{verdict_on(
        Failure{Reason::MessageTooLarge, fmt::format("identity {} takes {} octets, this has {}",
                                                     settings.name, settings.message_size, body.size())})};
  }
  if (envelope.recipients.size() > settings.recipients) {
    return No{verdict_on(
        Failure{Reason::TooManyRecipients, fmt::format("identity {} takes {}, this has {}", settings.name,
                                                       settings.recipients, envelope.recipients.size())})};
  }
  const auto header = read_header(body);
  if (!header) return No{verdict_on(header.error())};
  const auto fields = parse_message_header(*header);
  const Trace trace{job.id, around_.clock.now(), settings.mailbox, envelope.smtputf8};
  job.message_id = fields.has_message_id ? fields.message_id.substr(0, kMaxQuoted) : new_message_id(trace);
  if (const auto forbidden = forbidden_header(settings, fields)) {
    return No{verdict_on(Reason::SenderNotAllowed, *forbidden)};
  }
  return trace_header(fields, trace);
}

void Delivery::report(const Job& job, const Verdict& verdict) {
  const std::chrono::duration<double> took = around_.timer.now() - job.begun;
  around_.metrics.add(kMessages, {{"result", ending_name(verdict.ending)}});
  around_.metrics.observe(kDuration, {}, took.count());
  if (verdict.ending == Ending::Unknown) around_.metrics.add(kAmbiguous);

  const auto write = verdict.ending == Ending::Accepted ? &base::Log::info : &base::Log::warning;
  (around_.log.*write)(fmt::format("message {}", ending_name(verdict.ending)),
                       {{"id", job.id},
                        {"message_id", job.message_id},
                        {"identity", job.identity},
                        {"from", sender(*job.envelope)},
                        {"to", first_recipient(*job.envelope)},
                        {"recipients", job.envelope->recipients.size()},
                        {"size", job.size},
                        {"app_gone", job.app_gone.stop_requested()},
                        {"milliseconds", took.count() * 1000},
                        {"reason", verdict.reason ? catalogue::code(*verdict.reason) : ""},
                        {"reply", quote(verdict, *job.envelope)}});
}

void Delivery::name_left_behind() {
  for (const auto& [id, job] : under_way_) {
    around_.metrics.add(kMessages, {{"result", ending_name(Ending::Unknown)}});
    around_.metrics.add(kAmbiguous);
    around_.log.error("message left behind: the program ends before the relay has answered",
                      {{"id", id},
                       {"message_id", job->message_id},
                       {"identity", job->identity},
                       {"from", sender(*job->envelope)},
                       {"to", first_recipient(*job->envelope)},
                       {"recipients", job->envelope->recipients.size()},
                       {"size", job->size}});
  }
}

}  // namespace mailid::delivery
