#pragma once

#include <cstdint>
#include <string>

#include "common/base/expected.hpp"

namespace mailid::net {

/// What can go wrong between two machines in normal life.
enum class Fault : std::uint8_t {
  NameNotFound,    ///< the resolver has no address for the name
  Unreachable,     ///< refused, no route, or every address failed
  TimedOut,        ///< the deadline came first
  Closed,          ///< the peer ended the connection, or it broke
  Certificate,     ///< the peer's certificate is not valid for the name, or our own roots are unusable
  Tls,             ///< the handshake or a record failed for another reason
  UnexpectedData,  ///< bytes in clear where the TLS handshake must come first
};

/// A fault and the system's words for it; never holds what was transmitted.
struct Error {
  Fault fault;
  std::string detail;
};

template <class T>
using Result = base::Expected<T, Error>;

}  // namespace mailid::net
