#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/secret.hpp"

namespace mailid::oauth {

/// The members of a token endpoint's answer that matter (RFC 6749 sections 5.1 and 5.2), as they came.
struct AnswerMembers {
  base::Secret access_token;
  std::string token_type;                  ///< empty where there was none
  std::optional<std::int64_t> expires_in;  ///< a number or a string of digits; nothing where it was neither
  std::string error;
  std::int64_t error_code = 0;  ///< the first of `error_codes`, 0 where there was none
};

/// Reads a JSON object without building a tree, so that neither a token nor what an attacker nests is kept: all
/// memory that held text is wiped. Nothing where it is not JSON or not an object.
std::optional<AnswerMembers> read_members(std::string_view json);

}  // namespace mailid::oauth
