#include "common/smtp/transaction_dialogue.hpp"

#include <utility>

namespace mailid::smtp {

using catalogue::Step;

TransactionDialogue::TransactionDialogue(const Capabilities& capabilities, TransactionRequest request)
    : pipelining_(capabilities.pipelining),
      eight_bit_offered_(capabilities.eight_bit_mime),
      size_offered_(capabilities.size),
      request_(std::move(request)) {
  send_group();
}

TransactionDialogue::Next TransactionDialogue::feed(std::string_view bytes) {
  auto next = Next::Read;
  while (!bytes.empty()) {
    if (ended_) {
      // Nothing was asked for: whoever reads on would take this for the answer to the next message.
      connection_ = Connection::MustClose;
      return *ended_;
    }
    bytes.remove_prefix(parser_.feed(bytes));
    if (parser_.state() == ReplyParser::State::Invalid) return broken();
    if (parser_.state() == ReplyParser::State::Incomplete) return next;
    const Reply reply = parser_.take();
    next = sending_body_ ? on_early_reply(reply) : on_reply(awaited_[next_reply_++], reply);
  }
  return next;
}

TransactionDialogue::Next TransactionDialogue::on_reply(Command command, const Reply& reply) {
  const bool accepted = command == Command::Data ? reply.code == 354 : reply.code / 100 == 2;
  if (command == Command::Rcpt) ++answered_recipients_;
  if (!accepted && (command == Command::Rset || reply.positive())) return broken();
  if (!accepted) refuse(command, reply);
  if (reply.code == 421) return end(Next::Refused, Connection::MustClose);
  if (command == Command::Mail) mail_accepted_ = accepted;

  if (command == Command::Dot) {
    if (accepted) accepted_ = reply;
    return end(accepted ? Next::Accepted : Next::Refused, Connection::Clean);
  }
  if (command == Command::Data && accepted) {
    if (refusal_) return end(Next::Refused, Connection::MustClose);
    sending_body_ = true;
    return Next::SendBody;
  }
  if (next_reply_ < awaited_.size()) return Next::Read;
  if (refusal_) return end(Next::Refused, mail_accepted_ ? Connection::NeedsReset : Connection::Clean);
  send_group();
  return Next::Read;
}

TransactionDialogue::Next TransactionDialogue::on_early_reply(const Reply& reply) {
  if (reply.positive()) return broken();
  refuse(Command::Dot, reply);
  return end(Next::Refused, Connection::MustClose);
}

void TransactionDialogue::body_sent() {
  if (ended_) return;
  sending_body_ = false;
  awaited_.push_back(Command::Dot);
}

Step TransactionDialogue::step() const {
  if (sending_body_) return Step::Dot;
  switch (awaited_[next_reply_ < awaited_.size() ? next_reply_ : awaited_.size() - 1]) {
    case Command::Rset:
    case Command::Mail:
      return Step::Mail;
    case Command::Rcpt:
      return Step::Rcpt;
    case Command::Data:
      return Step::Data;
    case Command::Dot:
      break;
  }
  return Step::Dot;
}

TransactionDialogue::Command TransactionDialogue::command_at(std::size_t index) const {
  if (request_.reset_first && index-- == 0) return Command::Rset;
  if (index == 0) return Command::Mail;
  return index <= request_.recipients.size() ? Command::Rcpt : Command::Data;
}

bool TransactionDialogue::may_send(Command command) const {
  const auto unanswered = awaited_.size() - next_reply_;
  if (unanswered == 0) return true;
  const bool alone = command == Command::Data && request_.recipients.size() > 1;
  return pipelining_ && unanswered < kGroup && !alone;
}

void TransactionDialogue::send_group() {
  auto command = command_at(awaited_.size());
  do {
    send(command);
    if (command == Command::Data) return;
    command = command_at(awaited_.size());
  } while (may_send(command));
}

void TransactionDialogue::send(Command command) {
  awaited_.push_back(command);
  switch (command) {
    case Command::Rset:
      output_ += "RSET";
      break;
    case Command::Mail:
      output_.append("MAIL FROM:<").append(request_.sender).append(">");
      if (size_offered_) output_.append(" SIZE=").append(std::to_string(request_.size));
      if (request_.eight_bit && eight_bit_offered_) output_ += " BODY=8BITMIME";
      if (request_.smtputf8) output_ += " SMTPUTF8";
      break;
    case Command::Rcpt:
      output_.append("RCPT TO:<").append(request_.recipients[sent_recipients_++]).append(">");
      break;
    case Command::Data:
      output_ += "DATA";
      break;
    case Command::Dot:
      return;
  }
  output_ += "\r\n";
}

void TransactionDialogue::refuse(Command command, const Reply& reply) {
  if (refusal_) return;
  constexpr Step kSteps[] = {Step::Mail, Step::Mail, Step::Rcpt, Step::Data, Step::Dot};
  refusal_ = Refusal{kSteps[static_cast<std::size_t>(command)], reply, {}};
  if (command == Command::Rcpt) refusal_->recipient = request_.recipients[answered_recipients_ - 1];
}

TransactionDialogue::Next TransactionDialogue::end(Next next, Connection connection) {
  connection_ = connection;
  ended_ = next;
  return next;
}

TransactionDialogue::Next TransactionDialogue::broken() {
  return end(refusal_ ? Next::Refused : Next::Broken, Connection::MustClose);
}

}  // namespace mailid::smtp
