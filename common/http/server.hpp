#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/log.hpp"
#include "common/http/message.hpp"
#include "common/http/request_parser.hpp"
#include "common/net/stream.hpp"

namespace mailid::http {

/// Answers one request. Several may be under way at once, one for each connection. An exception is a bug: it is
/// logged and becomes 500.
using Handler = std::function<asio::awaitable<Response>(Request)>;

/// What clients may take up, all of them together and each.
struct ServerLimits {
  ParserLimits request;
  /// For one more the one that has brought nothing for longest is closed, if that is `quiet` at least; else the new one.
  std::size_t connections = 256;
  base::Duration quiet{0};
  /// Octets of all requests under way together, beyond the first 64 KiB of each, so that a crowd with large ones can't
  /// take what each one may; who comes then with a large one gets 503.
  std::size_t large_requests = std::size_t{16} * 1024 * 1024;
  base::Duration handshake{10'000};  ///< TLS
  base::Duration request_time{
      10'000};                  ///< from connecting, or the first octet of a later request, to its last
  base::Duration idle{60'000};  ///< between requests
  base::Duration response_time{10'000};  ///< until the client has taken the response
};

/// An HTTP/1.1 server: keep-alive, one port, in clear or over TLS.
///
/// `timer`, `log` and `tls` must outlive the last run of the executor; connections that are open when the server
/// ends are closed.
class Server {
 public:
  /// @param tls  null serves in clear; a certificate that is changed there serves the next handshake
  Server(asio::any_io_executor executor, net::Timer& timer, const base::Log& log, Handler handler,
         ServerLimits limits, const net::TlsServerContext* tls = nullptr);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Begins to serve. Called once.
  /// @param address  an address; empty: every address of the machine, IPv6 too where there is any
  /// @param port     0 lets the system choose
  /// @return the port, or Unreachable with the system's words
  net::Result<std::uint16_t> listen(const std::string& address, std::uint16_t port);

  /// Takes no more connections, closes those that wait, lets requests under way be answered for at most `grace`,
  /// then closes the rest.
  asio::awaitable<void> stop(base::Duration grace);

  /// Connections that are open now.
  std::size_t connections() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace mailid::http
