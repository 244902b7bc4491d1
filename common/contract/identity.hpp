#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/catalogue/catalogue.hpp"

namespace mailid::contract {

/// What the operator writes and the sidecar reads, one Secret for each identity
/// (`<identity>-mail-token`), mounted at /var/run/mail-identity/<identity>/.
inline constexpr std::string_view kTokenKey = "token";
inline constexpr std::string_view kExpiresAtKey = "expires-at";
inline constexpr std::string_view kIdentityKey = "identity.v1.json";

enum class Mechanism { XOAuth2, OAuthBearer };

/// The largest `limits.messageSize` that the API takes, in octets.
inline constexpr std::uint64_t kLargestMessageSize = 157'286'400;

/// Everything the sidecar needs to know of one identity: the content of identity.v1.json.
///
/// Fields are only ever added; a reader ignores what it doesn't know and takes the default for what is
/// missing, so that old sidecars outlive an upgrade and new ones a downgrade.
struct Identity {
  std::string name;          ///< metadata.name, for messages and metrics
  std::string mailbox;       ///< the account that logs in; the default sender
  std::string host;          ///< the relay's DNS name, also verified in its certificate
  std::uint16_t port = 587;  ///< STARTTLS is required on it
  Mechanism mechanism = Mechanism::XOAuth2;
  std::string ca_bundle;                       ///< PEM of extra roots, may be empty
  std::vector<std::string> senders;            ///< allowed addresses and `*@domain`; empty: the mailbox only
  std::chrono::milliseconds deadline{25'000};  ///< how long the sidecar tries to deliver a message
  std::uint32_t connections = 3;               ///< connections to the relay at once
  std::uint64_t message_size = 26'214'400;     ///< octets that a message may have
  std::uint32_t recipients = 500;              ///< recipients that one message may have

  friend bool operator==(const Identity&, const Identity&) = default;
};

/// The file's text: JSON, members in a fixed order, so that an unchanged identity gives unchanged bytes.
std::string to_json(const Identity& identity);

/// Reads the file. Fails with InvalidSpec and the member's name where a member is of a wrong type or out of
/// range, where `mailbox` or `host` is missing, or where the text is not JSON or deeper than 64 levels.
catalogue::Result<Identity> identity_from_json(std::string_view text);

}  // namespace mailid::contract
