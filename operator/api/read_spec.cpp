#include "operator/api/read_spec.hpp"

#include <algorithm>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "operator/api/quantity.hpp"

namespace mailid::api {
namespace {

constexpr std::size_t kLongestAddress = 320;
constexpr std::size_t kLongestName = 253;
constexpr std::size_t kLongestClientId = 500;
constexpr std::size_t kLongestUrl = 2'048;
constexpr std::size_t kLongestCaBundle = 65'536;
constexpr std::size_t kMostScopes = 20;
constexpr std::size_t kMostSenders = 100;
constexpr std::int64_t kMostConnections = 1'000;
constexpr std::chrono::milliseconds kLongestDeadline{3'600'000};
constexpr std::uint64_t kLargestMessage = std::uint64_t{1} << 40U;

/// Whether a value can go into a line of SMTP, a form or a header without meaning something else there.
bool is_one_word(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7F;
  });
}

std::string required_word(const json::Object& object, const char* name, std::size_t most) {
  auto word = object.required_text(name, most);
  if (!is_one_word(word)) object.complain(name, "must not hold spaces or control characters");
  return word;
}

std::string address(const json::Object& object, const char* name) {
  auto text = required_word(object, name, kLongestAddress);
  const auto at = text.rfind('@');
  if (!text.empty() && (at == std::string::npos || at == 0 || at + 1 == text.size())) {
    object.complain(name, "must be a mail address");
  }
  return text;
}

/// Says so where a member asks for something else than the one thing that is offered.
void only(const json::Object& object, const char* name, std::string_view offered) {
  const auto value = object.text(name);
  if (value && *value != offered) object.complain(name, fmt::format("must be {}", offered));
}

SecretKeyRef read_client_secret(const json::Object& provider) {
  const auto credential = provider.object("credential");
  if (!credential.has("clientSecretRef")) {
    credential.complain("clientSecretRef", "must be given");
    return {};
  }
  const auto ref = credential.object("clientSecretRef");
  return {required_word(ref, "name", kLongestName), required_word(ref, "key", kLongestName)};
}

Microsoft365 read_microsoft365(const json::Object& object) {
  Microsoft365 provider;
  provider.tenant = required_word(object, "tenant", kLongestName);
  provider.client_id = required_word(object, "clientID", kLongestName);
  provider.cloud = object.text("cloud", kLongestName).value_or(provider.cloud);
  provider.authority_host = object.text("authorityHost", kLongestUrl).value_or("");
  provider.client_secret = read_client_secret(object);
  return provider;
}

OAuth2 read_oauth2(const json::Object& object) {
  OAuth2 provider;
  provider.token_url = required_word(object, "tokenURL", kLongestUrl);
  provider.client_id = object.required_text("clientID", kLongestClientId);
  provider.scopes = object.texts("scopes", kMostScopes).value_or(std::vector<std::string>{});
  for (const auto& scope : provider.scopes) {
    if (scope.empty() || !is_one_word(scope)) object.complain("scopes", "must be words without spaces");
  }
  const auto authentication = object.text("clientAuthentication").value_or("Basic");
  if (authentication == "Post") {
    provider.client_authentication = oauth::ClientAuthentication::Post;
  } else if (authentication != "Basic") {
    object.complain("clientAuthentication", "must be Basic or Post");
  }
  provider.ca_bundle = object.text("caBundle", kLongestCaBundle).value_or("");
  provider.client_secret = read_client_secret(object);
  return provider;
}

std::variant<Microsoft365, OAuth2> read_provider(const json::Object& spec) {
  const auto provider = spec.object("provider");
  const bool microsoft365 = provider.has("microsoft365");
  const bool oauth2 = provider.has("oauth2");
  if (microsoft365 == oauth2) {
    spec.complain("provider", "must have exactly one member, microsoft365 or oauth2");
    return {};
  }
  if (microsoft365) return read_microsoft365(provider.object("microsoft365"));
  return read_oauth2(provider.object("oauth2"));
}

Smtp read_smtp(const json::Object& object) {
  Smtp smtp;
  smtp.host = object.text("host", kLongestName).value_or("");
  const auto port = object.integer("port", 1, 65'535);
  if (port) smtp.port = static_cast<std::uint16_t>(*port);
  smtp.ca_bundle = object.text("caBundle", kLongestCaBundle).value_or("");
  only(object, "tls", "StartTLS");

  const auto mechanism = object.text("mechanism");
  if (mechanism == "XOAUTH2") {
    smtp.mechanism = contract::Mechanism::XOAuth2;
  } else if (mechanism == "OAUTHBEARER") {
    smtp.mechanism = contract::Mechanism::OAuthBearer;
  } else if (mechanism) {
    object.complain("mechanism", "must be XOAUTH2 or OAUTHBEARER");
  }
  return smtp;
}

std::vector<std::string> read_senders(const json::Object& object) {
  only(object, "onMismatch", "Reject");
  auto senders = object.texts("allowed", kMostSenders).value_or(std::vector<std::string>{});
  for (const auto& sender : senders) {
    const bool usable = sender.size() <= kLongestAddress && is_one_word(sender) && !sender.starts_with('@') &&
                        sender.find('@') < sender.size() - 1;
    if (!usable) object.complain("allowed", "must be mail addresses or *@domain");
  }
  return senders;
}

std::optional<std::chrono::milliseconds> read_deadline(const json::Object& object) {
  only(object, "mode", "Direct");
  const auto text = object.text("deadline");
  if (!text) return std::nullopt;
  const auto deadline = parse_duration(*text);
  if (!deadline || deadline->count() < 1 || *deadline > kLongestDeadline) {
    object.complain("deadline", "must be a duration such as 25s, at most 1h");
    return std::nullopt;
  }
  return deadline;
}

/// An integer or a quantity, as Kubernetes takes both for a number of bytes.
std::optional<std::uint64_t> read_message_size(const json::Object& object) {
  const auto* member = object.member("messageSize");
  if (member == nullptr) return std::nullopt;
  std::optional<std::uint64_t> size;
  if (member->is_number_unsigned()) size = member->get<std::uint64_t>();
  if (member->is_string()) size = parse_quantity(member->get_ref<const std::string&>());
  if (size && *size >= 1 && *size <= kLargestMessage) return size;
  object.complain("messageSize", "must be a number of bytes such as 25Mi, at most 1Ti");
  return std::nullopt;
}

}  // namespace

Spec read_spec(const json::Object& object) {
  Spec spec;
  spec.mailbox = address(object, "mailbox");
  spec.provider = read_provider(object);
  spec.smtp = read_smtp(object.object("smtp"));
  spec.senders = read_senders(object.object("senders"));
  spec.deadline = read_deadline(object.object("delivery"));
  const auto limits = object.object("limits");
  const auto connections = limits.integer("connections", 1, kMostConnections);
  if (connections) spec.connections = static_cast<std::uint32_t>(*connections);
  spec.message_size = read_message_size(limits);
  return spec;
}

}  // namespace mailid::api
