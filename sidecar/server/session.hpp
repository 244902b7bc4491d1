#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/budget.hpp"
#include "sidecar/server/auth_dialogue.hpp"
#include "sidecar/server/command.hpp"
#include "sidecar/server/envelope.hpp"
#include "sidecar/server/handler.hpp"
#include "sidecar/server/limits.hpp"
#include "sidecar/server/line_reader.hpp"
#include "sidecar/server/message_reader.hpp"

namespace mailid::server {

/// One client's dialogue, without a socket: bytes in, replies and whole messages out (RFC 5321, 6409).
///
/// Offers SIZE, 8BITMIME, SMTPUTF8 and ENHANCEDSTATUSCODES, and on purpose neither PIPELINING nor CHUNKING: whoever
/// sends on before the reply that it has to wait for gets 554 and is cut off, because such input is what injected
/// commands and smuggled messages look like. Only QUIT may stand behind the final dot.
class Session {
 public:
  /// Keeps references to all of them.
  Session(const Handler& handler, spool::Disk& disk, base::Budget& memory, const Limits& limits);

  /// What the driver does next; before that it writes take_output().
  enum class Next {
    Read,     ///< feed() what comes
    Deliver,  ///< the message has ended; what has come meanwhile is fed first, then begin_delivery()
    Wait,     ///< nothing more needs to be read; only delivered() is awaited
    Close,    ///< the end, after the output is written
  };

  /// The greeting.
  Next greet();
  /// Takes what came from the client. While a message is being delivered it only takes notice.
  Next feed(std::string_view bytes);
  /// The message is with the handler from now on, or refused for what refusal() says.
  Next begin_delivery();
  /// The answer to the message.
  Next delivered(const smtp::Reply& reply);
  /// The client took too long: 421.
  Next time_out();
  /// The sidecar ends: 421.
  Next shut_down();

  /// What is to be written now.
  std::string take_output();

  const Envelope& envelope() const { return envelope_; }
  const spool::Body& body() const { return message_.body(); }
  /// Why the message that has ended can't be sent; nothing where envelope() and body() are whole.
  std::optional<MessageReader::Refusal> refusal() const { return message_.refusal(); }

  /// Between MAIL and the answer to its message.
  bool in_transaction() const { return in_transaction_; }
  /// Between 354 and the final dot, and how many bytes have come since 354.
  bool receiving() const { return state_ == State::Data; }
  std::uint64_t received() const { return message_.received(); }
  /// The client has sent what it must not send yet: its software is broken, or somebody injects commands.
  bool broke_synchrony() const { return broke_synchrony_; }
  /// It was us who ended the dialogue: the client may still be sending.
  bool cut_off() const { return cut_off_; }

 private:
  enum class State { Line, Data, Complete, Delivering, Closed };

  std::string_view read_line(std::string_view bytes, Next& next);
  Next on_line();
  Next on_command(const Command& command);
  Next on_hello(const Command& command);
  Next on_mail(std::string_view argument);
  Next on_rcpt(std::string_view argument);
  Next on_data(std::string_view argument);
  Next on_auth(std::string_view argument);
  Next on_octets(std::string_view bytes);
  Next on_end_of_data(std::string_view behind);
  Next on_behind_dot(std::string_view bytes);

  Next say(const smtp::Reply& reply);
  Next say(int code, std::string_view enhanced, std::string_view text);
  Next answer(const smtp::Reply& reply);
  Next refuse(int code, std::string_view enhanced, std::string_view text);
  Next say_idle(const smtp::Reply& reply);
  Next say_last(int code, std::string_view enhanced, std::string_view text);
  Next out_of_step();
  bool charge_recipient(std::size_t octets);
  void end_transaction();

  const Handler* handler_;
  base::Budget* memory_;
  const Limits* limits_;

  State state_ = State::Line;
  std::string output_;
  LineReader line_;
  bool greeted_ = false;   ///< EHLO or HELO was said
  bool extended_ = false;  ///< EHLO
  AuthDialogue auth_;
  std::size_t errors_ = 0;
  std::size_t idle_commands_ = 0;
  std::size_t surplus_recipients_ = 0;
  bool broke_synchrony_ = false;
  bool cut_off_ = false;

  bool in_transaction_ = false;
  Envelope envelope_;
  std::size_t recipient_octets_ = 0;
  base::Share recipients_share_;
  std::uint64_t size_limit_ = 0;  ///< of the message under way
  MessageReader message_;
  std::string behind_dot_;
};

}  // namespace mailid::server
