#include "sidecar/app/configuration.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fmt/format.h>

#include "common/base/log_level.hpp"
#include "common/contract/sidecar_environment.hpp"

namespace mailid::app {
namespace {

struct Variable {
  const char* name;
  std::string_view meaning;
  std::string_view fallback;  ///< empty: required
};

constexpr Variable kIdentity{contract::kIdentityVariable, "the pod's default identity", ""};
constexpr Variable kIdentities{contract::kIdentitiesVariable, "the pod's other identities, with commas",
                               "none"};
constexpr Variable kIdentityDir{contract::kIdentityDirVariable, "a folder for each identity",
                                contract::kIdentityDir};
constexpr Variable kSpoolDir{contract::kSpoolDirVariable, "where large message bodies go, writable",
                             contract::kSpoolDir};
constexpr Variable kSmtpPort{contract::kSmtpPortVariable, "SMTP on the loopback addresses", "2525"};
constexpr Variable kAdminPort{contract::kAdminPortVariable, "/healthz, /readyz and /metrics", "9587"};
constexpr Variable kAcceptAuth{contract::kAcceptAuthVariable,
                               "true: take any AUTH PLAIN or LOGIN, for apps that insist", "false"};
constexpr Variable kCaPath{contract::kCaPathVariable,
                           "public roots: a folder of hashed certificates or a PEM file", contract::kCaPath};
constexpr Variable kLogLevel{contract::kLogLevelVariable, "debug, info, warning or error", "info"};

constexpr const Variable* kVariables[] = {&kIdentity,  &kIdentities, &kIdentityDir, &kSpoolDir, &kSmtpPort,
                                          &kAdminPort, &kAcceptAuth, &kCaPath,      &kLogLevel};

/// A name that Kubernetes could have given, so that it can't lead out of the identity folder either.
bool is_identity_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), fits);
}

/// Reads variables and gathers what is wrong with them.
class Reader {
 public:
  explicit Reader(const Environment& environment) : environment_(&environment) {}

  std::string text(const Variable& variable) {
    auto value = (*environment_)(variable.name);
    return value && !value->empty() ? *value : std::string(variable.fallback);
  }

  std::string identity(const Variable& variable) {
    auto name = text(variable);
    if (!is_identity_name(name)) complain(variable, name, "the name of a MailIdentity");
    return name;
  }

  /// The default identity and the others.
  std::vector<std::string> identities(const Variable& first, const Variable& others) {
    std::vector<std::string> names{identity(first)};
    auto rest = (*environment_)(others.name).value_or("");
    for (std::size_t begin = 0; begin < rest.size();) {
      const auto end = std::min(rest.find(',', begin), rest.size());
      names.push_back(rest.substr(begin, end - begin));
      if (!is_identity_name(names.back()))
        complain(others, rest, "names of MailIdentities with commas between them");
      begin = end + 1;
    }
    return names;
  }

  std::string path(const Variable& variable) {
    auto path = text(variable);
    if (!path.starts_with('/')) complain(variable, path, "an absolute path");
    return path;
  }

  std::uint16_t port(const Variable& variable) {
    const auto number = text(variable);
    std::uint16_t port = 0;
    const auto* end = number.data() + number.size();
    const auto read = std::from_chars(number.data(), end, port);
    if (read.ec != std::errc() || read.ptr != end) complain(variable, number, "a port number");
    return port;
  }

  bool flag(const Variable& variable) {
    const auto value = text(variable);
    if (value != "true" && value != "false") complain(variable, value, "true or false");
    return value == "true";
  }

  base::LogLevel level(const Variable& variable) {
    const auto name = text(variable);
    if (const auto level = base::log_level_named(name)) return *level;
    complain(variable, name, variable.meaning);
    return base::LogLevel::Info;
  }

  void complain(const Variable& variable, std::string_view value, std::string_view expected) {
    if (!wrong_.empty()) wrong_ += "; ";
    wrong_ += value.empty() ? fmt::format("{} is not set: it must be {}", variable.name, expected)
                            : fmt::format("{} is '{}': it must be {}", variable.name, value, expected);
  }

  const std::string& wrong() const { return wrong_; }

 private:
  const Environment* environment_;
  std::string wrong_;
};

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets variables
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

base::Expected<Configuration, std::string> read_configuration(const Environment& environment) {
  Reader reader(environment);
  Configuration configuration{
      .identities = reader.identities(kIdentity, kIdentities),
      .identity_dir = reader.path(kIdentityDir),
      .spool_dir = reader.path(kSpoolDir),
      .ca_path = reader.path(kCaPath),
      .smtp_port = reader.port(kSmtpPort),
      .admin_port = reader.port(kAdminPort),
      .accept_auth = reader.flag(kAcceptAuth),
      .log_level = reader.level(kLogLevel),
  };
  if (configuration.smtp_port == configuration.admin_port && configuration.smtp_port != 0) {
    reader.complain(kAdminPort, reader.text(kAdminPort), fmt::format("another port than {}", kSmtpPort.name));
  }
  if (!reader.wrong().empty()) return base::Unexpected{reader.wrong()};
  return configuration;
}

base::Expected<std::uint16_t, std::string> read_admin_port(const Environment& environment) {
  Reader reader(environment);
  const auto port = reader.port(kAdminPort);
  if (!reader.wrong().empty()) return base::Unexpected{reader.wrong()};
  return port;
}

std::string describe_environment() {
  std::string lines;
  for (const auto* variable : kVariables) {
    const auto fallback =
        variable->fallback.empty() ? "required" : fmt::format("default {}", variable->fallback);
    lines += fmt::format("  {:<27}{} ({})\n", variable->name, variable->meaning, fallback);
  }
  return lines;
}

}  // namespace mailid::app
