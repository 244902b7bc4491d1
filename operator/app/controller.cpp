#include "operator/app/controller.hpp"

#include <cstddef>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

#include "common/base/log_level.hpp"
#include "operator/app/flags.hpp"

namespace mailid::app {
namespace {

constexpr Flag kFlags[] = {
    {"allowed-hosts",
     "hosts of token endpoints and relays besides the presets', with commas; *.contoso.com for a domain", ""},
    {"token-ca-file", "PEM of more roots for token endpoints", ""},
    {"smtp-ca-file", "PEM of more roots for relays, for the sidecars too", ""},
    {"health-port", "/healthz, /readyz and /metrics", "8080"},
    {"kubeconfig", "for a process outside of the cluster", ""},
    {"log-level", "debug, info, warning or error", "info"},
};

// Every token Secret carries it, and a sidecar reads 64 KiB of it and the spec's together.
constexpr std::size_t kLongestBundle = std::size_t{48} * 1024;

using Pem = base::Expected<std::string, std::string>;

Pem read_pem(std::string_view flag, const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return base::Unexpected{fmt::format("--{}: {} can't be read", flag, path)};
  if (text.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    return base::Unexpected{fmt::format("--{}: {} holds no certificate in PEM", flag, path)};
  }
  if (text.size() > kLongestBundle) {
    return base::Unexpected{fmt::format(
        "--{}: {} has more than {} bytes; leave only the roots that are needed", flag, path, kLongestBundle)};
  }
  return text;
}

}  // namespace

base::Expected<ControllerOptions, std::string> controller_options(
    std::span<const std::string_view> arguments) {
  const auto flags = Flags::parse(kFlags, arguments);
  if (!flags) return base::Unexpected{flags.error()};

  const auto level = base::log_level_named(flags->text("log-level"));
  const auto health_port = flags->port("health-port");
  if (!level) return base::Unexpected{std::string("--log-level must be debug, info, warning or error")};
  if (!health_port) return base::Unexpected{std::string("--health-port must be a port number")};
  auto token_ca = read_pem("token-ca-file", flags->text("token-ca-file"));
  if (!token_ca) return base::Unexpected{std::move(token_ca).error()};
  auto smtp_ca = read_pem("smtp-ca-file", flags->text("smtp-ca-file"));
  if (!smtp_ca) return base::Unexpected{std::move(smtp_ca).error()};

  ControllerOptions options;
  options.allowed_hosts = flags->texts("allowed-hosts");
  options.token_ca = std::move(*token_ca);
  options.smtp_ca = std::move(*smtp_ca);
  options.health_port = *health_port;
  options.kubeconfig = flags->text("kubeconfig");
  options.log_level = *level;
  return options;
}

std::string controller_usage() {
  return usage(kFlags);
}

}  // namespace mailid::app
