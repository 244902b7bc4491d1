#pragma once

#include <cstdint>
#include <string>

#include "common/net/resolver.hpp"
#include "common/net/stream.hpp"

namespace mailid::net {

/// Connects to the first address of `host` that answers. Each address gets its share of the time that is
/// left, so one that swallows packets doesn't use up the deadline of the others. Resolver and timer must
/// outlive the stream that comes back.
/// @return NameNotFound, Unreachable (with the last address and the system's words) or TimedOut otherwise
asio::awaitable<Result<Stream>> connect(Resolver& resolver, Timer& timer, std::string host,
                                        std::uint16_t port, base::SteadyTime deadline);

}  // namespace mailid::net
