#pragma once

#include <array>
#include <functional>
#include <memory>
#include <stop_token>

#include "common/base/budget.hpp"
#include "common/base/log.hpp"
#include "common/net/stream.hpp"
#include "sidecar/server/session.hpp"

namespace mailid::server {

/// What all connections of a listener share.
struct Service {
  net::Timer* timer;
  const base::Log* log;
  Handler* handler;
  spool::Disk* disk;
  Limits limits;
  /// For the bodies and recipients of all clients; beyond it bodies are in files from their first octet.
  base::Budget memory{2UL * 1024 * 1024};
  bool stopping = false;  ///< a connection ends as soon as no message is under way
};

/// One client: moves bytes between its stream and its session, and its messages to the handler.
///
/// Two coroutines: one reads, all the time, so that a client that goes is noticed while its message is
/// delivered; the other waits for the handler. At any time only one of them writes. They keep the object alive.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::any_io_executor executor, net::Stream::Socket socket, std::shared_ptr<Service> service);

  /// Begins the dialogue. `ended` is called once, when client and handler are done.
  void start(std::function<void()> ended);
  /// Ends with 421 now, or when the message under way has been answered.
  void shut_down();
  /// Ends at once, with 421 where the dialogue allows it.
  void abort();

 private:
  asio::awaitable<void> read(std::shared_ptr<Connection> self);
  asio::awaitable<void> deliver(std::shared_ptr<Connection> self);
  asio::awaitable<smtp::Reply> handle();
  asio::awaitable<void> act(Session::Next next);
  asio::awaitable<Session::Next> take_early_input();
  asio::awaitable<void> begin_delivery();
  asio::awaitable<void> write_output();
  asio::awaitable<void> finish();
  void close();
  void on_read_failure(const net::Error& error);
  void part_ended(const std::exception_ptr& failure);
  base::SteadyTime deadline() const;

  asio::any_io_executor executor_;
  std::shared_ptr<Service> service_;
  net::Stream stream_;
  Session session_;
  std::function<void()> ended_;
  std::stop_source app_gone_{std::nostopstate};
  base::SteadyTime last_reply_;
  int parts_ = 0;        ///< coroutines under way
  bool reading_ = true;  ///< more from the client is wanted
  bool delivering_ = false;
  std::array<char, 4096> buffer_;
};

}  // namespace mailid::server
