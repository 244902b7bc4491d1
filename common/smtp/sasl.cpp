#include "common/smtp/sasl.hpp"

#include <string>

#include "common/base/encoding.hpp"

namespace mailid::smtp {
namespace {

using contract::Mechanism;

/// What would end a line or a field of the message early.
constexpr std::string_view kForbidden("\r\n\0\x01", 4);

bool usable(std::string_view value) {
  return !value.empty() && value.find_first_of(kForbidden) == std::string_view::npos;
}

/// The name in a GS2 header (RFC 5801 section 4): comma and equals sign are its syntax.
std::string gs2_name(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    if (c == ',') {
      escaped += "=2C";
    } else if (c == '=') {
      escaped += "=3D";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string before_token(Mechanism mechanism, std::string_view mailbox, std::string_view host,
                         std::uint16_t port) {
  if (mechanism == Mechanism::XOAuth2) return std::string("user=").append(mailbox).append("\x01");
  std::string text = "n,a=" + gs2_name(mailbox) + ",\x01";
  return text.append("host=").append(host).append("\x01port=").append(std::to_string(port)).append("\x01");
}

}  // namespace

std::string_view mechanism_name(Mechanism mechanism) {
  return mechanism == Mechanism::XOAuth2 ? "XOAUTH2" : "OAUTHBEARER";
}

std::optional<base::Secret> initial_response(Mechanism mechanism, std::string_view mailbox,
                                             std::string_view host, std::uint16_t port,
                                             const base::Secret& token) {
  constexpr std::string_view kScheme = "auth=Bearer ";
  constexpr std::string_view kEnd = "\x01\x01";
  const bool host_matters = mechanism == Mechanism::OAuthBearer;
  if (!usable(mailbox) || !usable(token.reveal()) || (host_matters && !usable(host))) return std::nullopt;

  std::string message = before_token(mechanism, mailbox, host, port);
  // Room for all of it at once: a string that grows leaves copies of the token behind.
  message.reserve(message.size() + kScheme.size() + token.size() + kEnd.size());
  message.append(kScheme).append(token.reveal()).append(kEnd);
  std::string encoded = base::base64_encode(message);
  base::Secret response(encoded);
  base::wipe(encoded);
  base::wipe(message);
  return response;
}

std::string_view error_acknowledgement(Mechanism mechanism) {
  // An empty line for XOAUTH2, a lone 0x01 for RFC 7628 section 3.2.3.
  return mechanism == Mechanism::XOAuth2 ? "\r\n" : "AQ==\r\n";
}

}  // namespace mailid::smtp
