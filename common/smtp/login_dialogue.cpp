#include "common/smtp/login_dialogue.hpp"

#include <utility>

#include "common/smtp/redact.hpp"
#include "common/smtp/sasl.hpp"

namespace mailid::smtp {
namespace {

using catalogue::Reason;
using catalogue::Step;

std::string_view auth_command(contract::Mechanism mechanism) {
  return mechanism == contract::Mechanism::XOAuth2 ? "AUTH XOAUTH2\r\n" : "AUTH OAUTHBEARER\r\n";
}

/// A whole reply on one line, without its end.
std::string one_line(const Reply& reply) {
  std::string line = format(make_reply(reply.code, reply.enhanced, reply.text()));
  line.resize(line.size() - 2);
  return line;
}

std::string offered(const Capabilities& capabilities) {
  std::string names;
  for (const std::string& name : capabilities.mechanisms) names.append(names.empty() ? "" : " ").append(name);
  return names.empty() ? "none" : names;
}

}  // namespace

LoginDialogue::Next LoginDialogue::feed(std::string_view bytes) {
  output_ = {};
  secret_output_ = {};
  if (stage_ == Stage::Over) return failure_ ? Next::Failed : Next::LoggedIn;
  if (stage_ == Stage::Handshake) {
    return fail(Reason::StartTlsInjection, "octets in clear before the TLS handshake");
  }
  bytes.remove_prefix(parser_.feed(bytes));
  if (parser_.state() == ReplyParser::State::Invalid) {
    return fail(Reason::RelayProtocolError, "no SMTP reply");
  }
  if (parser_.state() == ReplyParser::State::Incomplete) return Next::Read;

  const Reply reply = parser_.take();
  // A refusal ends it anyway, and says more than what came behind it.
  if (bytes.empty() || !reply.positive()) return on_reply(reply);
  if (stage_ == Stage::StartTls) {
    return fail(Reason::StartTlsInjection, "octets in clear behind the answer to STARTTLS");
  }
  return fail(Reason::RelayProtocolError, "more than one reply to one command");
}

LoginDialogue::Next LoginDialogue::tls_started() {
  output_ = {};
  // Nothing of the clear text counts any more (RFC 3207 section 4.2).
  parser_ = {};
  capabilities_ = {};
  return say(Stage::Ehlo, Step::Ehlo, kEhlo);
}

LoginDialogue::Next LoginDialogue::on_reply(const Reply& reply) {
  switch (stage_) {
    case Stage::Greeting:
      return reply.code == 220 ? say(Stage::ClearEhlo, Step::Ehlo, kEhlo) : refused(reply);
    case Stage::ClearEhlo:
    case Stage::Ehlo:
      return reply.code == 250 ? on_ehlo(reply) : refused(reply);
    case Stage::StartTls:
      if (reply.code != 220) return refused(reply);
      stage_ = Stage::Handshake;
      return Next::StartTls;
    case Stage::AuthCommand:
    case Stage::AuthResponse:
    case Stage::AuthError:
      return on_auth(reply);
    case Stage::Handshake:
    case Stage::Over:
      break;
  }
  return fail(Reason::RelayProtocolError, "a reply to nothing");
}

LoginDialogue::Next LoginDialogue::on_ehlo(const Reply& reply) {
  capabilities_ = parse_capabilities(reply);
  if (stage_ == Stage::ClearEhlo) {
    if (!capabilities_.starttls) return fail(Reason::StartTlsMissing, "EHLO's answer does not name STARTTLS");
    return say(Stage::StartTls, Step::StartTls, "STARTTLS\r\n");
  }
  step_ = Step::Auth;
  if (!capabilities_.offers_mechanism(mechanism_name(request_.mechanism))) {
    return fail(Reason::MechanismMissing, std::string(mechanism_name(request_.mechanism)) +
                                              " is needed and offered is " + offered(capabilities_));
  }
  return say(Stage::AuthCommand, Step::Auth, auth_command(request_.mechanism));
}

LoginDialogue::Next LoginDialogue::on_auth(const Reply& reply) {
  if (stage_ == Stage::AuthCommand && reply.code == 334) {
    auto response =
        initial_response(request_.mechanism, request_.mailbox, request_.host, request_.port, *request_.token);
    if (!response) return fail(Reason::TokenMissing, "mailbox or token is empty or holds control characters");
    say(Stage::AuthResponse, Step::Auth, {});
    std::string line;
    // Room for all of it at once: a string that grows leaves a copy of the token behind.
    line.reserve(response->size() + 2);
    line.append(response->reveal()).append("\r\n");
    secret_output_ = base::Secret(line);
    base::wipe(line);
    return Next::Read;
  }
  if (stage_ == Stage::AuthResponse && reply.code == 334) {
    return say(Stage::AuthError, Step::Auth, error_acknowledgement(request_.mechanism));
  }
  if (stage_ != Stage::AuthResponse || reply.code != 235) return refused(reply);
  stage_ = Stage::Over;
  return Next::LoggedIn;
}

LoginDialogue::Next LoginDialogue::say(Stage next, Step step, std::string_view command) {
  stage_ = next;
  step_ = step;
  output_ = command;
  return Next::Read;
}

LoginDialogue::Next LoginDialogue::fail(Reason reason, std::string context) {
  stage_ = Stage::Over;
  failure_ = LoginFailure{{reason, request_.host + ": " + std::move(context)}, step_, std::nullopt};
  return Next::Failed;
}

LoginDialogue::Next LoginDialogue::refused(const Reply& reply) {
  Reply quoted = reply;
  if (step_ == Step::Auth) {
    // What a peer quotes of our own login must not travel on into logs and to the app.
    const auto response =
        initial_response(request_.mechanism, request_.mailbox, request_.host, request_.port, *request_.token);
    for (std::string& line : quoted.lines) {
      line = redact(line, *request_.token);
      if (response) line = redact(line, *response);
    }
  }
  const Reason reason = catalogue::classify_relay_reply(step_, reply.code, reply.enhanced, reply.text());
  fail(reason, "answered " + std::string(catalogue::step_name(step_)) + " with " + one_line(quoted));
  failure_->reply = std::move(quoted);
  return Next::Failed;
}

}  // namespace mailid::smtp
