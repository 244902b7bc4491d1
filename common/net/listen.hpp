#pragma once

#include "common/net/asio.hpp"

namespace mailid::net {

/// Whom a socket on an IPv6 address takes; means nothing for an IPv4 address.
enum class Ipv6Socket {
  Ipv6Only,  ///< beside a socket of its own for IPv4
  Both,      ///< IPv4 clients too, on `[::]`
};

/// Opens the acceptor on an address and port and begins to listen; closes it again where that fails.
/// @return no error, or the system's
error_code listen(asio::ip::tcp::acceptor& acceptor, const asio::ip::tcp::endpoint& endpoint,
                  Ipv6Socket takes);

}  // namespace mailid::net
