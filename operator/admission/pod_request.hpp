#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/catalogue/catalogue.hpp"
#include "common/contract/sidecar_environment.hpp"

namespace mailid::admission {

inline constexpr const char* kIdentityLabel = "mailidentity.io/identity";
inline constexpr const char* kIdentitiesAnnotation = "mailidentity.io/identities";
inline constexpr const char* kSmtpPortAnnotation = "mailidentity.io/smtp-port";
inline constexpr const char* kAdminPortAnnotation = "mailidentity.io/admin-port";
inline constexpr const char* kAcceptAuthAnnotation = "mailidentity.io/accept-auth";

/// What a pod asks for with its label and annotations.
struct PodRequest {
  std::vector<std::string> identities;  ///< the label's first; each once, at most 20
  std::uint16_t smtp_port = contract::kSmtpPort;
  std::uint16_t admin_port = contract::kAdminPort;
  bool accept_auth = false;           ///< take any login, for an app that insists on one
  std::vector<std::string> warnings;  ///< annotations of ours that nobody knows
};

/// Reads metadata. Nothing where the pod doesn't carry the label; InvalidAnnotation where a value can't be used:
/// names are DNS labels of at most 52 characters, ports are numbers from 1024 to 65535 and not the same, and a switch is
/// `true` or `false`.
catalogue::Result<std::optional<PodRequest>> read_request(const nlohmann::json& pod);

}  // namespace mailid::admission
