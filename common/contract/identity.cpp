#include "common/contract/identity.hpp"

#include <array>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/json/object.hpp"

namespace mailid::contract {
namespace {

using Failed = base::Unexpected<catalogue::Failure>;

constexpr std::size_t kMaxCaBundle = 65'536;
constexpr std::size_t kMaxSenders = 100;
constexpr std::int64_t kMaxDeadline = 3'600'000;
constexpr std::int64_t kMaxConnections = 1'000;
constexpr std::int64_t kMaxMessageSize = std::int64_t{1} << 40;
constexpr std::int64_t kMaxRecipients = 1'000'000;

constexpr std::array<std::pair<Mechanism, std::string_view>, 2> kMechanisms = {{
    {Mechanism::XOAuth2, "XOAUTH2"},
    {Mechanism::OAuthBearer, "OAUTHBEARER"},
}};

std::string_view name_of(Mechanism mechanism) {
  for (const auto& [known, name] : kMechanisms) {
    if (known == mechanism) return name;
  }
  return {};
}

std::optional<Mechanism> mechanism_named(std::string_view name) {
  for (const auto& [mechanism, known] : kMechanisms) {
    if (known == name) return mechanism;
  }
  return std::nullopt;
}

void read_smtp(const json::Object& smtp, Identity& identity) {
  identity.host = smtp.required_text("host", 253);
  if (const auto port = smtp.integer("port", 1, 65'535)) identity.port = static_cast<std::uint16_t>(*port);
  identity.ca_bundle = smtp.text("caBundle", kMaxCaBundle).value_or("");
  const auto mechanism = smtp.text("mechanism");
  if (!mechanism) return;
  const auto known = mechanism_named(*mechanism);
  if (known) {
    identity.mechanism = *known;
  } else {
    smtp.complain("mechanism", "must be XOAUTH2 or OAUTHBEARER");
  }
}

void read_limits(const json::Object& limits, Identity& identity) {
  if (const auto n = limits.integer("connections", 1, kMaxConnections)) {
    identity.connections = static_cast<std::uint32_t>(*n);
  }
  if (const auto n = limits.integer("messageSize", 1, kMaxMessageSize)) {
    identity.message_size = static_cast<std::uint64_t>(*n);
  }
  if (const auto n = limits.integer("recipientsPerMessage", 1, kMaxRecipients)) {
    identity.recipients = static_cast<std::uint32_t>(*n);
  }
}

}  // namespace

std::string to_json(const Identity& identity) {
  nlohmann::ordered_json file;
  file["name"] = identity.name;
  file["mailbox"] = identity.mailbox;
  auto& smtp = file["smtp"];
  smtp["host"] = identity.host;
  smtp["port"] = identity.port;
  smtp["mechanism"] = name_of(identity.mechanism);
  smtp["caBundle"] = identity.ca_bundle;
  file["senders"]["allowed"] = identity.senders;
  file["delivery"]["deadlineMilliseconds"] = identity.deadline.count();
  auto& limits = file["limits"];
  limits["connections"] = identity.connections;
  limits["messageSize"] = identity.message_size;
  limits["recipientsPerMessage"] = identity.recipients;
  // Indented because people read it too (kubectl get secret -o jsonpath), replaced because dump() throws otherwise.
  return file.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

catalogue::Result<Identity> identity_from_json(std::string_view text) {
  const auto value = json::parse(text);
  if (!value) return Failed{{catalogue::Reason::InvalidSpec, "identity.v1.json is not JSON"}};

  std::vector<std::string> wrong;
  const json::Object file(*value, "", wrong);
  Identity identity;
  identity.name = file.text("name", 253).value_or("");
  identity.mailbox = file.required_text("mailbox", 320);
  read_smtp(file.object("smtp"), identity);
  identity.senders =
      file.object("senders").texts("allowed", kMaxSenders).value_or(std::vector<std::string>{});
  const auto deadline = file.object("delivery").integer("deadlineMilliseconds", 1, kMaxDeadline);
  if (deadline) identity.deadline = std::chrono::milliseconds(*deadline);
  read_limits(file.object("limits"), identity);

  if (!wrong.empty()) return Failed{{catalogue::Reason::InvalidSpec, json::join(wrong)}};
  return identity;
}

}  // namespace mailid::contract
