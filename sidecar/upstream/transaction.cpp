#include "sidecar/upstream/transaction.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <stop_token>
#include <utility>

#include "common/base/encoding.hpp"
#include "common/smtp/dot_stuffing.hpp"
#include "common/smtp/login.hpp"
#include "sidecar/upstream/smtputf8.hpp"

namespace mailid::upstream {
namespace {

using catalogue::Reason;
using Dialogue = smtp::TransactionDialogue;
using Next = Dialogue::Next;
using Connection = Dialogue::Connection;

// With the dots that are doubled a piece still fits one TLS record of 16 KiB.
constexpr std::size_t kPiece = std::size_t{15} * 1024;

smtp::TransactionRequest request_for(const delivery::Message& message, const smtp::Capabilities& capabilities,
                                     bool reset_first) {
  const auto& envelope = *message.envelope;
  return {.sender = envelope.sender,
          .recipients = envelope.recipients,
          .size = message.trace_header.size() + message.body->size(),
          .smtputf8 = envelope.smtputf8 && capabilities.smtputf8,
          .eight_bit = envelope.eight_bit,
          .reset_first = reset_first};
}

/// Puts an at sign wherever `part` stands in `words`, in any case. Not nothing, which would make new words.
void leave_out(std::string& words, std::string_view part) {
  const auto same = [](char a, char b) { return base::iequals({&a, 1}, {&b, 1}); };
  for (std::size_t from = 0; !part.empty(); ++from) {
    const auto begin = words.begin() + static_cast<std::ptrdiff_t>(from);
    const auto place = std::search(begin, words.end(), part.begin(), part.end(), same);
    if (place == words.end()) return;
    from = static_cast<std::size_t>(place - words.begin());
    words.replace(from, part.size(), "@");
  }
}

/// What the relay itself says, without the addresses that it quotes: whoever gives the app an address would else
/// decide by its name what the refusal is taken for.
std::string own_words(const smtp::Reply& reply, const server::Envelope& envelope) {
  auto words = reply.text();
  const auto without = [&words](std::string_view address) {
    leave_out(words, address);
    const auto domain = address.substr(std::min(address.rfind('@'), address.size()));
    if (domain.find('.') != std::string_view::npos) leave_out(words, domain.substr(1));
  };
  without(envelope.sender);
  for (const auto& recipient : envelope.recipients) without(recipient);
  return words;
}

/// One message on its way over one connection.
class Transaction {
 public:
  Transaction(net::Stream& stream, net::Timer& timer, const smtp::Capabilities& capabilities,
              const delivery::Message& message, bool reset_first, TransactionTimes times)
      : stream_(&stream),
        timer_(&timer),
        message_(&message),
        times_(times),
        dialogue_(capabilities, request_for(message, capabilities, reset_first)) {}

  asio::awaitable<Ended> run();

 private:
  asio::awaitable<catalogue::Result<Next>> send_body();
  catalogue::Result<base::Done> next_piece();
  asio::awaitable<Next> read(base::SteadyTime deadline);
  asio::awaitable<Next> read_answer();

  Ended accepted() const;
  Ended unreadable(const catalogue::Failure& failure) const;
  Ended refused() const;
  Ended failed(Reason reason, const std::string& words) const;
  Ended failed(const net::Error& error) const;

  net::Stream* stream_;
  net::Timer* timer_;
  const delivery::Message* message_;
  TransactionTimes times_;
  Dialogue dialogue_;
  smtp::DotStuffer stuffer_;
  std::string piece_;
  std::string wire_;
  std::uint64_t offset_ = 0;
  bool whole_ = false;  ///< all of the body is on its way or in wire_
  // Only once all of the last piece was handed over: a TLS record that went out in part can't be read by anybody, so
  // until then no dot has been sent.
  bool dot_sent_ = false;
  base::SteadyTime answer_by_;
  std::optional<net::Error> fault_;
};

asio::awaitable<Ended> Transaction::run() {
  auto next = Next::Read;
  while (next == Next::Read || next == Next::SendBody) {
    if (next == Next::SendBody) {
      const auto sent = co_await send_body();
      if (!sent) co_return unreadable(sent.error());
      next = *sent;
      if (next != Next::Read) break;
    } else if (!dialogue_.output().empty()) {
      const auto written = co_await stream_->write_all(dialogue_.output(), times_.envelope);
      if (!written) co_return failed(written.error());
      dialogue_.output_written();
    }
    if (dot_sent_) {
      next = co_await read_answer();
    } else {
      next = co_await read(times_.envelope);
    }
  }
  if (fault_) co_return failed(*fault_);
  if (next == Next::Accepted) co_return accepted();
  if (next == Next::Refused) co_return refused();
  co_return failed(Reason::RelayProtocolError, "the answer is not SMTP");
}

/// Sends all of the body, or as much as the relay takes before it refuses or goes.
/// @return Read once all is sent, else what ended it; fails where our own disk does
asio::awaitable<catalogue::Result<Next>> Transaction::send_body() {
  stuffer_.write(message_->trace_header, wire_);
  while (!whole_) {
    const auto filled = next_piece();
    if (!filled) co_return base::Unexpected<catalogue::Failure>{filled.error()};
    const auto written = co_await stream_->write_all(wire_, timer_->now() + times_.body_stall);
    wire_.clear();
    if (!written || (!whole_ && !stream_->quiet())) {
      // A relay that refuses in the middle may have closed behind its reply.
      const auto early = co_await read(timer_->now());
      if (early != Next::Read) co_return early;
      if (!written) {
        fault_ = written.error();
        co_return Next::Broken;
      }
    }
  }
  dot_sent_ = true;
  dialogue_.body_sent();
  answer_by_ = std::max(times_.answer, timer_->now() + times_.reply_time);
  co_return Next::Read;
}

/// Puts the next piece of the body into wire_, the last one with the final dot.
catalogue::Result<base::Done> Transaction::next_piece() {
  const auto& body = *message_->body;
  piece_.resize(std::min<std::uint64_t>(kPiece, body.size() - offset_));
  const auto count = body.read_at(offset_, piece_);
  if (!count) return base::Unexpected{count.error()};
  stuffer_.write({piece_.data(), *count}, wire_);
  offset_ += *count;
  whole_ = offset_ >= body.size() || *count == 0;
  if (whole_) stuffer_.finish(wire_);
  return base::Done{};
}

/// Reads once and hands it to the dialogue; a fault is kept.
asio::awaitable<Next> Transaction::read(base::SteadyTime deadline) {
  std::array<char, 1024> buffer;
  const auto count = co_await stream_->read_some(buffer, deadline);
  if (!count) {
    fault_ = count.error();
    co_return Next::Broken;
  }
  co_return dialogue_.feed({buffer.data(), *count});
}

/// Reads once of the answer to the final dot: until the deadline in any case, then for as long as the app waits, too.
asio::awaitable<Next> Transaction::read_answer() {
  const auto next = co_await read(times_.answer);
  if (!fault_ || fault_->fault != net::Fault::TimedOut) co_return next;
  fault_.reset();
  auto hang_up = [stream = stream_] { stream->close(); };
  const std::stop_callback stop_waiting(message_->app_gone, std::move(hang_up));
  co_return co_await read(answer_by_);
}

Ended Transaction::accepted() const {
  return {delivery::Accepted{dialogue_.accepted()}, dialogue_.connection()};
}

Ended Transaction::unreadable(const catalogue::Failure& failure) const {
  return {delivery::Refused{failure.reason, std::nullopt, failure.context, {}}, Connection::MustClose};
}

Ended Transaction::refused() const {
  const auto& refusal = *dialogue_.refusal();
  const auto& reply = refusal.reply;
  const auto words = own_words(reply, *message_->envelope);
  const auto reason = catalogue::classify_relay_reply(refusal.step, reply.code, reply.enhanced, words);
  auto context = "at " + std::string(catalogue::step_name(refusal.step));
  // 421 is about the connection, and a login that has ended about the login: both before the dot only.
  const bool elsewhere = !dot_sent_ && (reply.code == 421 || reason == Reason::NotAuthenticated);
  return {delivery::Refused{reason, reply, std::move(context), refusal.recipient},
          elsewhere ? Connection::MustClose : dialogue_.connection(), elsewhere};
}

Ended Transaction::failed(Reason reason, const std::string& words) const {
  auto context = "at " + std::string(catalogue::step_name(dialogue_.step())) + ": " + words;
  if (dot_sent_) return {delivery::Unknown{std::move(context)}, Connection::MustClose};
  if (dialogue_.refusal()) {
    auto ended = refused();
    ended.connection = Connection::MustClose;
    return ended;
  }
  return {delivery::Refused{reason, std::nullopt, std::move(context), {}}, Connection::MustClose, true};
}

Ended Transaction::failed(const net::Error& error) const {
  const auto failure = smtp::relay_failure(error);
  return failed(failure.reason, failure.context);
}

}  // namespace

asio::awaitable<Ended> transact(net::Stream& stream, net::Timer& timer,
                                const smtp::Capabilities& capabilities, const delivery::Message& message,
                                bool reset_first, TransactionTimes times) {
  if (!capabilities.smtputf8 && needs_smtputf8(message)) {
    delivery::Refused missing{Reason::SmtpUtf8Missing, std::nullopt, "the relay does not offer SMTPUTF8", {}};
    const auto kept = reset_first ? Connection::NeedsReset : Connection::Clean;
    Ended ended{std::move(missing), kept};
    co_return ended;
  }
  Transaction transaction(stream, timer, capabilities, message, reset_first, times);
  co_return co_await transaction.run();
}

}  // namespace mailid::upstream
