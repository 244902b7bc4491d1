#pragma once

#include "common/json/object.hpp"
#include "operator/api/mail_identity.hpp"

namespace mailid::api {

/// Reads `spec`; what is wrong with it is noted where `object` notes, with the member's path. Members that it
/// doesn't know are ignored, values that ask for something it can't do are wrong.
Spec read_spec(const json::Object& object);

}  // namespace mailid::api
