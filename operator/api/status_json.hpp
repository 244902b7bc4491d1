#pragma once

#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "operator/api/mail_identity.hpp"

namespace mailid::api {

/// Reads `status`; nothing where any of its members makes no sense.
std::optional<Status> read_status(const nlohmann::json& value);

}  // namespace mailid::api
