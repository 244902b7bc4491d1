#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/secret.hpp"
#include "common/catalogue/catalogue.hpp"
#include "common/catalogue/relay_replies.hpp"
#include "common/contract/identity.hpp"
#include "common/smtp/capabilities.hpp"
#include "common/smtp/reply_parser.hpp"

namespace mailid::smtp {

/// Where and as whom to log in.
struct LoginRequest {
  std::string host;  ///< also the name that the certificate must have
  std::uint16_t port = 587;
  contract::Mechanism mechanism = contract::Mechanism::XOAuth2;
  std::string mailbox;
  std::shared_ptr<const base::Secret> token;  ///< never null
};

/// Why there is no logged-in connection.
struct LoginFailure {
  catalogue::Failure failure;
  catalogue::Step step;        ///< how far it came
  std::optional<Reply> reply;  ///< what the relay said, where it said something
};

/// From the relay's greeting to a successful AUTH, without a socket (RFC 5321, 3207, 4954): greeting, EHLO,
/// STARTTLS, the handshake that the driver makes, EHLO again, AUTH.
///
/// Nothing that was said before TLS counts afterwards. AUTH takes two steps, because a real token breaks the
/// line limits of the one-line form. No other mechanism is ever tried. Every command waits for its reply, so any
/// octet too many is an error, and behind STARTTLS an attack.
class LoginDialogue {
 public:
  explicit LoginDialogue(LoginRequest request) : request_(std::move(request)) {}

  /// What the driver does next; before that it writes output().
  enum class Next { Read, StartTls, LoggedIn, Failed };

  /// Takes what came from the relay.
  Next feed(std::string_view bytes);
  /// The handshake that Next::StartTls asked for has worked.
  Next tls_started();
  /// What is to be written now, valid until the next call; may hold the token.
  std::string_view output() const { return secret_output_.empty() ? output_ : secret_output_.reveal(); }

  /// Which reply is awaited.
  catalogue::Step step() const { return step_; }
  /// Of the EHLO after TLS; valid once logged in.
  const Capabilities& capabilities() const { return capabilities_; }
  /// Valid once failed.
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): as said
  const LoginFailure& failure() const { return *failure_; }

 private:
  enum class Stage {
    Greeting,
    ClearEhlo,
    StartTls,
    Handshake,
    Ehlo,
    AuthCommand,
    AuthResponse,
    AuthError,
    Over
  };

  Next on_reply(const Reply& reply);
  Next on_ehlo(const Reply& reply);
  Next on_auth(const Reply& reply);
  Next say(Stage next, catalogue::Step step, std::string_view command);
  Next fail(catalogue::Reason reason, std::string context);
  Next refused(const Reply& reply);

  LoginRequest request_;
  Stage stage_ = Stage::Greeting;
  catalogue::Step step_ = catalogue::Step::Greeting;
  ReplyParser parser_;
  Capabilities capabilities_;
  std::string_view output_;
  base::Secret secret_output_;
  std::optional<LoginFailure> failure_;
};

/// The name that we say in EHLO: an address literal, which needs no DNS and tells nothing of the pod.
inline constexpr std::string_view kEhlo = "EHLO [127.0.0.1]\r\n";

}  // namespace mailid::smtp
