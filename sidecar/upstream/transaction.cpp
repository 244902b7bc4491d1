#include "sidecar/upstream/transaction.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>

#include "common/smtp/dot_stuffing.hpp"

namespace mailid::upstream {
namespace {

using catalogue::Reason;
using catalogue::Step;
using delivery::Outcome;
using delivery::Refused;
using delivery::Unknown;
using smtp::TransactionDialogue;
using Next = TransactionDialogue::Next;

constexpr std::size_t kPiece = 16 * 1024;

smtp::TransactionRequest request_of(const Connection& connection, const delivery::Message& message) {
  smtp::TransactionRequest request;
  request.sender = message.envelope->sender;
  request.recipients = message.envelope->recipients;
  request.size = message.trace_header.size() + message.body->size();
  request.smtputf8 = message.envelope->smtputf8;
  request.eight_bit = message.envelope->eight_bit;
  request.reset_first = connection.needs_reset;
  return request;
}

/// One transaction under way.
class Transaction {
 public:
  Transaction(Connection& connection, const delivery::Message& message, net::Timer& timer, Patience patience,
              base::SteadyTime deadline)
      : stream_(&connection.session.stream),
        message_(&message),
        timer_(&timer),
        patience_(patience),
        deadline_(deadline),
        dialogue_(connection.session.capabilities, request_of(connection, message)) {}

  asio::awaitable<Attempt> run() {
    auto next = Next::Read;
    while (next == Next::Read || next == Next::SendBody) {
      Fault fault;
      if (next == Next::SendBody) {
        fault = co_await send_body(next);
      } else {
        fault = co_await exchange(next);
      }
      if (fault) co_return failed(std::move(*fault));
    }
    co_return ended(next);
  }

 private:
  using Fault = std::optional<net::Error>;

  /// Says what is to be said, and reads some of the answer.
  asio::awaitable<Fault> exchange(Next& next) {
    if (!dialogue_.output().empty()) {
      const auto written = co_await stream_->write_all(dialogue_.output(), deadline_);
      if (!written) co_return written.error();
      dialogue_.output_written();
    }
    std::array<char, 1024> buffer{};
    auto got = co_await read_answer(buffer);
    if (!got) co_return std::move(got.error());
    next = dialogue_.feed({buffer.data(), *got});
    co_return std::nullopt;
  }

  /// Waits for an answer until the deadline; for the one to the final dot then for as long as the app waits, too.
  asio::awaitable<net::Result<std::size_t>> read_answer(std::span<char> buffer) {
    const auto end = std::max(deadline_, timer_->now() + patience_.reply_time);
    auto got = co_await stream_->read_some(buffer, deadline_);
    if (got || !dot_written_ || got.error().fault != net::Fault::TimedOut) co_return got;
    auto stop_waiting = [stream = stream_] { stream->close(); };
    const std::stop_callback hang_up(message_->app_gone, std::move(stop_waiting));
    co_return co_await stream_->read_some(buffer, end);
  }

  /// Writes trace header, body and final dot. A relay that refuses early is heard when it stops taking octets.
  asio::awaitable<Fault> send_body(Next& next) {
    smtp::DotStuffer stuffer;
    std::string wire;
    // In one allocation: a piece grows by a dot for each of its lines at most.
    wire.reserve(2 * kPiece);
    stuffer.write(message_->trace_header, wire);
    const auto piece = std::make_unique<std::array<char, kPiece>>();
    std::uint64_t offset = 0;
    for (;;) {
      const auto read = message_->body->read_at(offset, *piece);
      if (!read)
        co_return net::Error{net::Fault::Closed, "the message can't be read back: " + read.error().context};
      offset += *read;
      stuffer.write({piece->data(), *read}, wire);
      const bool last = offset >= message_->body->size() || *read == 0;
      if (last) stuffer.finish(wire);
      // From here on the dot may be on its way, whatever the write says.
      dot_written_ = last;
      const auto written = co_await stream_->write_all(wire, timer_->now() + patience_.body_stall);
      if (!written) co_return co_await hear_refusal(written.error(), next);
      if (last) break;
      wire.clear();
    }
    dialogue_.body_sent();
    next = Next::Read;
    co_return std::nullopt;
  }

  /// What the relay said before it stopped taking the body, if it did.
  asio::awaitable<Fault> hear_refusal(net::Error fault, Next& next) {
    std::array<char, 1024> buffer{};
    const auto got = co_await stream_->read_some(buffer, timer_->now());
    if (!got) co_return fault;
    next = dialogue_.feed({buffer.data(), *got});
    if (next == Next::Refused) co_return std::nullopt;
    co_return fault;
  }

  Attempt failed(net::Error fault) {
    if (dialogue_.refusal()) return {refused(), TransactionDialogue::Connection::MustClose};
    auto failure = smtp::relay_failure(fault);
    auto context = fmt::format("at {}: {}", catalogue::step_name(dialogue_.step()), failure.context);
    if (dot_written_) return {Unknown{std::move(context)}, TransactionDialogue::Connection::MustClose};
    return {Refused{failure.reason, std::nullopt, std::move(context), {}},
            TransactionDialogue::Connection::MustClose, true};
  }

  Attempt ended(Next next) {
    if (next == Next::Accepted) return {delivery::Accepted{dialogue_.accepted()}, dialogue_.connection()};
    if (next == Next::Refused) return {refused(), dialogue_.connection(), hung_up()};
    auto context = fmt::format("at {}", catalogue::step_name(dialogue_.step()));
    if (dot_written_) return {Unknown{std::move(context)}, dialogue_.connection()};
    return {Refused{Reason::RelayProtocolError, std::nullopt, std::move(context), {}}, dialogue_.connection(),
            true};
  }

  /// 421 says that the connection ends, which on one that was kept says nothing of this message.
  bool hung_up() const { return dialogue_.refusal()->reply.code == 421 && !dot_written_; }

  Outcome refused() const {
    const auto& refusal = *dialogue_.refusal();
    const auto reason = catalogue::classify_relay_reply(refusal.step, refusal.reply.code,
                                                        refusal.reply.enhanced, refusal.reply.text());
    return Refused{reason, refusal.reply, std::string(catalogue::step_name(refusal.step)), refusal.recipient};
  }

  net::Stream* stream_;
  const delivery::Message* message_;
  net::Timer* timer_;
  Patience patience_;
  base::SteadyTime deadline_;
  TransactionDialogue dialogue_;
  bool dot_written_ = false;
};

}  // namespace

asio::awaitable<Attempt> transact(Connection& connection, const delivery::Message& message, net::Timer& timer,
                                  Patience patience, base::SteadyTime deadline) {
  Transaction transaction(connection, message, timer, patience, deadline);
  auto attempt = co_await transaction.run();
  connection.needs_reset = attempt.connection == TransactionDialogue::Connection::NeedsReset;
  co_return attempt;
}

}  // namespace mailid::upstream
