#pragma once

#include <cstdint>
#include <string>

#include "common/base/expected.hpp"

namespace mailid::app {

/// Asks the sidecar on this machine's 127.0.0.1 for a page, within 1.5 seconds: what a kubelet's exec probe runs.
/// @return nothing where the answer is 200, else what came instead, for a person to read
base::Expected<base::Done, std::string> probe(std::uint16_t port, const std::string& page);

}  // namespace mailid::app
