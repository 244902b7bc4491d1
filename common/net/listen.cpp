#include "common/net/listen.hpp"

#include <boost/asio/ip/v6_only.hpp>

namespace mailid::net {

using Tcp = asio::ip::tcp;

error_code listen(Tcp::acceptor& acceptor, const Tcp::endpoint& endpoint, Ipv6Socket takes) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return error;
  acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.protocol() == Tcp::v6()) {
    acceptor.set_option(asio::ip::v6_only(takes == Ipv6Socket::Ipv6Only), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    error_code ignored;
    acceptor.close(ignored);
  }
  return error;
}

}  // namespace mailid::net
