#include "common/http/server.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/budget.hpp"
#include "common/net/listen.hpp"

namespace mailid::http {
namespace {

using Tcp = asio::ip::tcp;

// A client that is still sending when it is refused would lose the answer to a reset, so what it sends is taken and
// thrown away for this long.
constexpr base::Duration kDrain{1'000};
// What a request may have without asking whether there is room for it, so that small ones are always served.
constexpr std::size_t kSmallRequest = std::size_t{64} * 1024;
// When the process has no descriptors left, accepting again at once would only spin.
constexpr base::Duration kAcceptPause{100};

struct Connection {
  Connection(Tcp::socket socket, net::Timer& timer, ParserLimits limits, base::Budget& budget)
      : stream(std::move(socket), timer), parser(limits), beyond_small(budget) {}

  net::Stream stream;
  RequestParser parser;
  base::Share beyond_small;
  base::SteadyTime moved_at;
  /// How often any of the server's connections had moved before: their order.
  std::uint64_t moves_before = 0;
  bool answering = false;
  bool served = false;
};

}  // namespace

// Shared with the coroutines, so that a connection under way survives the Server object.
struct Server::State : std::enable_shared_from_this<Server::State> {
  State(asio::any_io_executor on, net::Timer& clock, const base::Log& to, Handler answers,
        ServerLimits within, const net::TlsServerContext* with)
      : executor(on),
        timer(&clock),
        log(&to),
        handler(std::move(answers)),
        limits(within),
        large_requests(within.large_requests),
        tls(with),
        acceptor(on),
        empty(on) {}

  void begin_accepting();
  asio::awaitable<void> accept_all(std::shared_ptr<State> self);
  void begin(Tcp::socket socket);
  bool make_room();
  void moved(Connection& connection);
  asio::awaitable<void> serve(std::shared_ptr<State> self, std::shared_ptr<Connection> connection);
  void end(const std::shared_ptr<Connection>& connection);

  asio::awaitable<std::optional<Request>> read_request(Connection& connection);
  asio::awaitable<Response> answer(Request request);
  asio::awaitable<bool> write(Connection& connection, std::string bytes);
  asio::awaitable<void> refuse(Connection& connection, Response response);

  base::SteadyTime after(base::Duration duration) const { return timer->now() + duration; }

  asio::any_io_executor executor;
  net::Timer* timer;
  const base::Log* log;
  Handler handler;
  ServerLimits limits;
  base::Budget large_requests;
  const net::TlsServerContext* tls;
  Tcp::acceptor acceptor;
  std::vector<std::shared_ptr<Connection>> open;
  std::uint64_t moves = 0;
  net::Wakeup empty;
  bool stopping = false;
};

void Server::State::begin_accepting() {
  asio::co_spawn(executor, accept_all(shared_from_this()), asio::detached);
}

asio::awaitable<void> Server::State::accept_all([[maybe_unused]] std::shared_ptr<State> self) {
  while (!stopping) {
    error_code error;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (stopping || !acceptor.is_open()) co_return;
    if (!error) {
      begin(std::move(socket));
      continue;
    }
    if (error == asio::error::connection_aborted) continue;
    log->warning("can't accept a connection", {{"error", error.message()}});
    co_await timer->wait_for(kAcceptPause);
  }
}

void Server::State::begin(Tcp::socket socket) {
  if (open.size() >= limits.connections && !make_room()) {
    log->debug("too many connections, one more refused", {{"limit", limits.connections}});
    return;
  }
  auto connection = std::make_shared<Connection>(std::move(socket), *timer, limits.request, large_requests);
  open.push_back(connection);
  moved(*connection);
  auto done = [self = shared_from_this(), connection](const std::exception_ptr& failure) {
    self->end(connection);
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      self->log->error("a connection ended by a bug", {{"error", error.what()}});
    }
  };
  asio::co_spawn(executor, serve(shared_from_this(), std::move(connection)), std::move(done));
}

void Server::State::moved(Connection& connection) {
  connection.moved_at = timer->now();
  connection.moves_before = moves++;
}

/// Ends the connection that has brought nothing for longest, so that a crowd that only waits shuts nobody out; false
/// where each is being answered or has just brought something.
bool Server::State::make_room() {
  const auto rank = [this](const Connection& connection) {
    const bool stays = connection.answering || !connection.stream.open() ||
                       timer->now() < connection.moved_at + limits.quiet;
    return std::pair(stays, connection.moves_before);
  };
  const auto oldest = std::min_element(open.begin(), open.end(),
                                       [&](const auto& a, const auto& b) { return rank(*a) < rank(*b); });
  if (oldest == open.end() || rank(**oldest).first) return false;
  (*oldest)->stream.close();
  return true;
}

void Server::State::end(const std::shared_ptr<Connection>& connection) {
  connection->stream.close();
  connection->beyond_small.release();
  std::erase(open, connection);
  if (open.empty()) empty.wake();
}

asio::awaitable<void> Server::State::serve([[maybe_unused]] std::shared_ptr<State> self,
                                           std::shared_ptr<Connection> connection) {
  if (tls != nullptr) {
    const auto shaken = co_await connection->stream.accept_tls(*tls, after(limits.handshake));
    if (!shaken) co_return;
  }
  for (;;) {
    auto request = co_await read_request(*connection);
    if (!request) co_return;
    const auto method = request->method;
    const auto wanted = connection->parser.persistence();

    connection->answering = true;
    const auto response = co_await answer(std::move(*request));
    const auto persistence = stopping ? Persistence::Close : wanted;
    connection->beyond_small.release();
    const bool written = co_await write(*connection, format(response, persistence, method));
    connection->answering = false;
    connection->served = true;
    if (!written || persistence == Persistence::Close) co_return;
  }
}

asio::awaitable<std::optional<Request>> Server::State::read_request(Connection& connection) {
  using ParserState = RequestParser::State;
  auto& parser = connection.parser;
  auto state = parser.state();
  bool begun = state != ParserState::Idle || !connection.served;
  auto deadline = after(begun ? limits.request_time : limits.idle);
  std::array<char, 8192> buffer;
  std::size_t received = 0;
  moved(connection);

  for (;;) {
    if (state == ParserState::Complete) co_return parser.take();
    if (state == ParserState::Refused) {
      co_await refuse(connection, parser.refusal());
      co_return std::nullopt;
    }
    if (state == ParserState::WantsContinue) {
      if (!co_await write(connection, "HTTP/1.1 100 Continue\r\n\r\n")) co_return std::nullopt;
      state = parser.continued();
      continue;
    }
    const auto count = co_await connection.stream.read_some(buffer, deadline);
    if (!count) {
      const bool late = count.error().fault == net::Fault::TimedOut && state == ParserState::NeedMore;
      if (late) co_await refuse(connection, text_response(408, "the request took too long"));
      co_return std::nullopt;
    }
    const auto before = std::max(received, kSmallRequest);
    received += *count;
    if (!connection.beyond_small.grow(std::max(received, kSmallRequest) - before)) {
      co_await refuse(connection, text_response(503, "too many large requests at once, try again"));
      co_return std::nullopt;
    }
    state = parser.feed({buffer.data(), *count});
    if (begun) continue;
    begun = true;
    deadline = after(limits.request_time);
    moved(connection);
  }
}

asio::awaitable<Response> Server::State::answer(Request request) {
  const auto what = request.method + ' ' + request.path;
  try {
    co_return co_await handler(std::move(request));
  } catch (const std::exception& error) {
    log->error("a request failed by a bug", {{"request", what}, {"error", error.what()}});
  }
  co_return text_response(500, "internal error");
}

asio::awaitable<bool> Server::State::write(Connection& connection, std::string bytes) {
  const auto written = co_await connection.stream.write_all(bytes, after(limits.response_time));
  co_return written.has_value();
}

asio::awaitable<void> Server::State::refuse(Connection& connection, Response response) {
  connection.answering = true;
  const bool written = co_await write(connection, format(response, Persistence::Close, "GET"));
  connection.answering = false;
  if (!written) co_return;
  const auto deadline = after(kDrain);
  std::array<char, 8192> thrown_away;
  while (timer->now() < deadline) {
    const auto count = co_await connection.stream.read_some(thrown_away, deadline);
    if (!count) co_return;
  }
}

Server::Server(asio::any_io_executor executor, net::Timer& timer, const base::Log& log, Handler handler,
               ServerLimits limits, const net::TlsServerContext* tls)
    : state_(std::make_shared<State>(executor, timer, log, std::move(handler), limits, tls)) {}

Server::~Server() {
  state_->stopping = true;
  error_code ignored;
  state_->acceptor.close(ignored);
  for (const auto& connection : state_->open) connection->stream.close();
}

net::Result<std::uint16_t> Server::listen(const std::string& address, std::uint16_t port) {
  std::vector<Tcp::endpoint> choices;
  error_code error;
  if (address.empty()) {
    // One socket takes both families; the second is for machines without IPv6.
    choices = {Tcp::endpoint(Tcp::v6(), port), Tcp::endpoint(Tcp::v4(), port)};
  } else if (const auto parsed = asio::ip::make_address(address, error); !error) {
    choices = {Tcp::endpoint(parsed, port)};
  }
  for (const auto& endpoint : choices) {
    error = net::listen(state_->acceptor, endpoint, net::Ipv6Socket::Both);
    if (error) continue;
    const auto bound = state_->acceptor.local_endpoint(error);
    if (error) continue;
    state_->begin_accepting();
    return bound.port();
  }
  const auto where = address + (address.empty() ? "port " : " port ") + std::to_string(port);
  return base::Unexpected{net::Error{net::Fault::Unreachable, where + ": " + error.message()}};
}

asio::awaitable<void> Server::stop(base::Duration grace) {
  const auto state = state_;
  state->stopping = true;
  error_code ignored;
  state->acceptor.close(ignored);
  for (const auto& connection : state->open) {
    if (!connection->answering) connection->stream.close();
  }
  const auto deadline = state->after(grace);
  while (!state->open.empty()) {
    if (!co_await state->empty.wait(*state->timer, deadline)) break;
  }
  for (const auto& connection : state->open) connection->stream.close();
}

std::size_t Server::connections() const {
  return state_->open.size();
}

}  // namespace mailid::http
