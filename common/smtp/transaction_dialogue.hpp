#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/catalogue/relay_replies.hpp"
#include "common/smtp/capabilities.hpp"
#include "common/smtp/reply_parser.hpp"

namespace mailid::smtp {

/// The envelope as it goes to the relay. Addresses are without angle brackets and without control bytes.
struct TransactionRequest {
  std::string sender;
  std::vector<std::string> recipients;  ///< at least one
  std::uint64_t size = 0;               ///< octets of the message, for SIZE=
  bool smtputf8 = false;                ///< say SMTPUTF8 (the caller has seen that it is offered)
  bool eight_bit = false;               ///< say BODY=8BITMIME where it is offered
  bool reset_first = false;             ///< an unfinished transaction must be cleared first
};

/// The relay's no to a transaction.
struct Refusal {
  catalogue::Step step;
  Reply reply;
  std::string recipient;  ///< which one, at Step::Rcpt
};

/// One mail transaction from MAIL to the reply behind the final dot, without a socket (RFC 5321, 2920).
///
/// All or nothing: the body is only asked for when every recipient was accepted. Therefore DATA is pipelined
/// behind MAIL and RCPT only where there is exactly one recipient (refused, DATA fails too); with more, MAIL and
/// RCPT go together, at most kGroup commands at a time so that neither side waits for the other to read, and DATA
/// follows when all are accepted. A relay that answers 354 although something was refused gets no dot: the
/// connection must be closed, and an unfinished DATA delivers nothing.
class TransactionDialogue {
 public:
  /// Commands sent without waiting for a reply.
  static constexpr std::size_t kGroup = 100;

  TransactionDialogue(const Capabilities& capabilities, TransactionRequest request);

  /// What the driver does next; before that it writes output(), and after writing calls output_written().
  /// It begins with Read. Broken: what came is not SMTP, or the connection could not be reset.
  enum class Next { Read, SendBody, Accepted, Refused, Broken };

  /// Takes what came from the relay; also while the body is being sent, for a relay that refuses early.
  Next feed(std::string_view bytes);
  /// All of the body has been written, with its final dot.
  void body_sent();

  /// What is to be written now, empty where nothing is.
  std::string_view output() const { return output_; }
  void output_written() { output_.clear(); }

  /// Which reply is awaited.
  catalogue::Step step() const;
  /// The relay's answer to the final dot, valid once accepted.
  const Reply& accepted() const { return accepted_; }
  /// The first refusal that came, if any: it counts even if the connection broke after it.
  const std::optional<Refusal>& refusal() const { return refusal_; }

  /// What may be done with the connection once it is over.
  enum class Connection { Clean, NeedsReset, MustClose };
  Connection connection() const { return connection_; }

 private:
  enum class Command { Rset, Mail, Rcpt, Data, Dot };

  Command command_at(std::size_t index) const;
  bool may_send(Command command) const;
  void send(Command command);
  void send_group();
  Next on_reply(Command command, const Reply& reply);
  Next on_early_reply(const Reply& reply);
  void refuse(Command command, const Reply& reply);
  Next end(Next next, Connection connection);
  Next broken();

  bool pipelining_;
  bool eight_bit_offered_;
  bool size_offered_;
  TransactionRequest request_;
  ReplyParser parser_;
  std::string output_;
  std::vector<Command> awaited_;  ///< commands sent, in order; answered up to next_reply_
  std::size_t next_reply_ = 0;
  std::size_t sent_recipients_ = 0;
  std::size_t answered_recipients_ = 0;
  bool mail_accepted_ = false;
  bool sending_body_ = false;
  std::optional<Next> ended_;
  Reply accepted_;
  std::optional<Refusal> refusal_;
  Connection connection_ = Connection::MustClose;
};

}  // namespace mailid::smtp
