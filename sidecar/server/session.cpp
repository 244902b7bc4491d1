#include "sidecar/server/session.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "common/base/encoding.hpp"

namespace mailid::server {
namespace {

// Recipients of one message that cost the shared memory nothing, so that a client with a few is always served.
constexpr std::size_t kFreeRecipientOctets = 4096;
// What a recipient costs besides its octets: the string object and the allocator's own.
constexpr std::size_t kRecipientOverhead = 48;
constexpr std::string_view kQuit = "QUIT\r\n";

bool begins_quit(std::string_view bytes) {
  return base::iequals(bytes, kQuit.substr(0, bytes.size()));
}

}  // namespace

Session::Session(const Handler& handler, spool::Disk& disk, base::Budget& memory, const Limits& limits)
    : handler_(&handler),
      memory_(&memory),
      limits_(&limits),
      recipients_share_(memory),
      message_(disk, memory) {}

Session::Next Session::greet() {
  return say(220, "", "localhost ESMTP");
}

Session::Next Session::feed(std::string_view bytes) {
  auto next = Next::Read;
  while (!bytes.empty()) {
    switch (state_) {
      case State::Closed:
        return Next::Close;
      case State::Data:
        return on_octets(bytes);
      case State::Complete:
      case State::Delivering:
        return on_behind_dot(bytes);
      case State::Line:
        bytes = read_line(bytes, next);
    }
    if (next == Next::Close) return next;
  }
  return next;
}

/// One line of the dialogue; @return what is behind it.
std::string_view Session::read_line(std::string_view bytes, Next& next) {
  if (!auth_.under_way() && line_.empty() && is_foreign(bytes.front())) {
    next = say_last(554, "5.5.2", "This is an SMTP server; a command begins with a letter");
    return {};
  }
  bytes.remove_prefix(line_.feed(bytes));
  if (!line_.complete()) return bytes;
  next = bytes.empty() ? on_line() : out_of_step();
  line_.next();
  return bytes;
}

Session::Next Session::on_line() {
  if (line_.too_long()) {
    auth_.give_up();
    return refuse(500, "5.5.2", fmt::format("Line longer than {} octets", LineReader::kMaxLine));
  }
  if (auth_.under_way()) return answer(auth_.feed(line_.line()));
  return on_command(parse_command(line_.line()));
}

Session::Next Session::on_command(const Command& command) {
  switch (command.verb) {
    case Verb::Ehlo:
    case Verb::Helo:
      return on_hello(command);
    case Verb::Mail:
      return on_mail(command.argument);
    case Verb::Rcpt:
      return on_rcpt(command.argument);
    case Verb::Data:
      return on_data(command.argument);
    case Verb::Rset:
      if (!command.argument.empty()) return refuse(501, "5.5.4", "Syntax: RSET");
      end_transaction();
      return say_idle(smtp::make_reply(250, "2.0.0", "OK"));
    case Verb::Noop:
      return say_idle(smtp::make_reply(250, "2.0.0", "OK"));
    case Verb::Vrfy:
      return say_idle(smtp::make_reply(252, "2.0.0", "Send a message to find out"));
    case Verb::Quit:
      if (!command.argument.empty()) return refuse(501, "5.5.4", "Syntax: QUIT");
      return say_last(221, "2.0.0", "Bye");
    case Verb::Auth:
      return on_auth(command.argument);
    case Verb::NotOffered:
      return refuse(502, "5.5.1", "Command not offered");
    case Verb::Http:
      return say_last(554, "5.5.1", "This is an SMTP server and no HTTP server");
    case Verb::Unknown:
      return refuse(500, "5.5.2", "Command not recognized");
  }
  return Next::Close;
}

Session::Next Session::on_hello(const Command& command) {
  const bool extended = command.verb == Verb::Ehlo;
  if (command.argument.empty())
    return refuse(501, "5.5.4", extended ? "Syntax: EHLO name" : "Syntax: HELO name");
  end_transaction();
  greeted_ = true;
  extended_ = extended;
  smtp::Reply reply{250, "", {"localhost"}};
  if (extended) {
    reply.lines.push_back(fmt::format("SIZE {}", handler_->message_size_limit()));
    for (const auto* keyword : {"8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"}) {
      reply.lines.emplace_back(keyword);
    }
    if (limits_->accept_auth) reply.lines.emplace_back("AUTH PLAIN LOGIN");
  }
  return say_idle(reply);
}

Session::Next Session::on_mail(std::string_view argument) {
  if (!greeted_) return refuse(503, "5.5.1", "Say EHLO first");
  if (in_transaction_) return refuse(503, "5.5.1", "A message is under way; RSET gives it up");
  auto envelope = parse_mail(argument, limits_->accept_auth);
  if (!envelope) return answer(envelope.error());
  const auto limit = handler_->message_size_limit();
  if (envelope->declared_size.value_or(0) > limit) {
    const auto reply = smtp::make_reply(552, "5.3.4", fmt::format("Message larger than {} octets", limit));
    handler_->turned_away(*envelope, reply, catalogue::Reason::MessageTooLarge);
    return answer(reply);
  }
  if (const auto refusal = handler_->check_sender(*envelope)) {
    handler_->turned_away(*envelope, *refusal, catalogue::Reason::SenderNotAllowed);
    return answer(*refusal);
  }
  envelope_ = std::move(*envelope);
  in_transaction_ = true;
  return say(250, "2.1.0", "OK");
}

Session::Next Session::on_rcpt(std::string_view argument) {
  if (!in_transaction_) return refuse(503, "5.5.1", "Say MAIL first");
  auto address = parse_rcpt(argument, envelope_.smtputf8);
  if (!address) return answer(address.error());
  if (envelope_.recipients.size() >= handler_->recipient_limit()) {
    if (++surplus_recipients_ > limits_->surplus_recipients)
      return say_last(421, "4.7.0", "Too many recipients");
    return say(452, "4.5.3",
               fmt::format("More than {} recipients; send the rest in another message",
                           handler_->recipient_limit()));
  }
  if (!charge_recipient(address->size()))
    return say(452, "4.3.1", "No memory for more recipients; try again");
  envelope_.recipients.push_back(std::move(*address));
  return say(250, "2.1.5", "OK");
}

bool Session::charge_recipient(std::size_t octets) {
  const auto cost = octets + kRecipientOverhead;
  if (recipient_octets_ + cost > kFreeRecipientOctets && !recipients_share_.grow(cost)) return false;
  recipient_octets_ += cost;
  return true;
}

Session::Next Session::on_data(std::string_view argument) {
  if (!argument.empty()) return refuse(501, "5.5.4", "Syntax: DATA");
  if (!in_transaction_) return refuse(503, "5.5.1", "Say MAIL first");
  if (envelope_.recipients.empty()) return refuse(503, "5.5.1", "No valid recipients");
  size_limit_ = handler_->message_size_limit();
  state_ = State::Data;
  return say(354, "", "End data with <CR><LF>.<CR><LF>");
}

Session::Next Session::on_auth(std::string_view argument) {
  if (!limits_->accept_auth) return refuse(502, "5.5.1", "AUTH is not needed here; send without it");
  if (!extended_) return refuse(503, "5.5.1", "Say EHLO first");
  if (auth_.done() || in_transaction_) return refuse(503, "5.5.1", "Not now");
  return answer(auth_.begin(argument));
}

Session::Next Session::on_octets(std::string_view bytes) {
  const auto taken = message_.feed(bytes, size_limit_);
  return message_.ended() ? on_end_of_data(bytes.substr(taken)) : Next::Read;
}

Session::Next Session::on_end_of_data(std::string_view behind) {
  state_ = State::Complete;
  if (!behind.empty() && on_behind_dot(behind) == Next::Close) return Next::Close;
  return Next::Deliver;
}

/// Before the answer to the final dot a client may say QUIT and nothing else.
Session::Next Session::on_behind_dot(std::string_view bytes) {
  if (broke_synchrony_) return Next::Wait;
  behind_dot_ += bytes.substr(0, kQuit.size() + 1);
  if (begins_quit(behind_dot_) && behind_dot_.size() <= kQuit.size()) return Next::Read;
  broke_synchrony_ = true;
  return state_ == State::Complete ? out_of_step() : Next::Wait;
}

Session::Next Session::begin_delivery() {
  state_ = State::Delivering;
  return Next::Read;
}

Session::Next Session::delivered(const smtp::Reply& reply) {
  end_transaction();
  state_ = State::Line;
  if (reply.positive()) {
    errors_ = 0;
    idle_commands_ = 0;
  }
  say(reply);
  const auto behind = std::exchange(behind_dot_, {});
  if (broke_synchrony_) return out_of_step();
  return feed(behind);
}

Session::Next Session::time_out() {
  return say_last(421, "4.4.2", "Waited too long for you");
}

Session::Next Session::shut_down() {
  return say_last(421, "4.3.2", "The mail sidecar is shutting down");
}

std::string Session::take_output() {
  return std::exchange(output_, {});
}

void Session::end_transaction() {
  in_transaction_ = false;
  envelope_ = {};
  message_.reset();
  recipient_octets_ = 0;
  recipients_share_ = base::Share(*memory_);
}

Session::Next Session::say(const smtp::Reply& reply) {
  output_ += smtp::format(reply);
  return Next::Read;
}

Session::Next Session::say(int code, std::string_view enhanced, std::string_view text) {
  return say(smtp::make_reply(code, enhanced, text));
}

/// A client that only makes mistakes is cut off; what passes by itself is no mistake.
Session::Next Session::answer(const smtp::Reply& reply) {
  if (reply.permanent() && ++errors_ > limits_->errors) return say_last(421, "4.7.0", "Too many errors");
  return say(reply);
}

Session::Next Session::refuse(int code, std::string_view enhanced, std::string_view text) {
  return answer(smtp::make_reply(code, enhanced, text));
}

/// For commands that bring no message any further.
Session::Next Session::say_idle(const smtp::Reply& reply) {
  if (++idle_commands_ > limits_->idle_commands)
    return say_last(421, "4.7.0", "Too many commands without mail");
  return say(reply);
}

Session::Next Session::say_last(int code, std::string_view enhanced, std::string_view text) {
  say(code, enhanced, text);
  state_ = State::Closed;
  cut_off_ = code >= 400;
  return Next::Close;
}

Session::Next Session::out_of_step() {
  broke_synchrony_ = true;
  return say_last(554, "5.5.0", "Wait for the reply before you send on; there is no PIPELINING");
}

}  // namespace mailid::server
