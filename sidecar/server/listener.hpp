#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "common/base/log.hpp"
#include "common/net/error.hpp"
#include "common/net/timer.hpp"
#include "sidecar/server/handler.hpp"
#include "sidecar/server/limits.hpp"

namespace mailid::server {

/// SMTP for the app, on the loopback addresses only: a Session for each client, coroutines move the bytes.
///
/// While the handler delivers a message the client is watched: when it goes, the handler's stop token is
/// stopped. An idle client costs about 8 kB. All references must outlive the last run of the executor; clients
/// that are connected when the listener ends are closed.
class Listener {
 public:
  Listener(asio::any_io_executor executor, net::Timer& timer, const base::Log& log, Handler& handler,
           spool::Disk& disk, Limits limits = {});
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Begins to serve 127.0.0.1 and [::1]. Called once. A machine without IPv6 is no failure, a port that
  /// somebody else has on either address is.
  /// @param port  0 lets the system choose
  /// @return the port, or Unreachable with the system's words
  net::Result<std::uint16_t> listen(std::uint16_t port);

  /// Clients that are connected now.
  std::size_t clients() const;

  /// Serves on as before until no client has been there for `quiet`, at most until `deadline`: an app that
  /// gets SIGTERM together with us may still want to send.
  asio::awaitable<void> serve_until_quiet(base::Duration quiet, base::SteadyTime deadline);

  /// Takes no more clients. Those without a message under way get 421 4.3.2; a message that is under way is
  /// received and answered if that is done within `grace`; then the rest is closed.
  asio::awaitable<void> stop(base::Duration grace);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace mailid::server
