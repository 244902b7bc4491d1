#include "sidecar/server/listener.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "common/catalogue/catalogue.hpp"
#include "common/net/listen.hpp"
#include "sidecar/server/connection.hpp"

namespace mailid::server {
namespace {

using Tcp = asio::ip::tcp;

// When the process has no descriptors left, accepting again at once would only spin.
constexpr base::Duration kAcceptPause{100};
constexpr std::chrono::minutes kBetweenWarnings{1};

bool means_no_ipv6(const error_code& error) {
  return error == asio::error::address_family_not_supported ||
         error == boost::system::errc::address_not_available;
}

net::Result<std::uint16_t> failed(const Tcp::endpoint& endpoint, const error_code& error) {
  const auto where = endpoint.address().to_string() + " port " + std::to_string(endpoint.port());
  return base::Unexpected{net::Error{net::Fault::Unreachable, where + ": " + error.message()}};
}

}  // namespace

// Shared with the coroutines, so that a connection under way survives the Listener object.
struct Listener::State : std::enable_shared_from_this<Listener::State> {
  State(asio::any_io_executor on, std::shared_ptr<Service> offers)
      : executor(on),
        service(std::move(offers)),
        acceptors{Tcp::acceptor(on), Tcp::acceptor(on)},
        changed(on) {}

  asio::awaitable<void> accept_all(std::shared_ptr<State> self, Tcp::acceptor& acceptor);
  void begin(Tcp::socket socket);
  void refuse(Tcp::socket socket);
  void end(const Connection& ended);
  void close_acceptors();

  net::Timer& timer() const { return *service->timer; }

  asio::any_io_executor executor;
  std::shared_ptr<Service> service;
  std::array<Tcp::acceptor, 2> acceptors;  ///< IPv4, IPv6
  std::vector<std::shared_ptr<Connection>> open;
  net::Wakeup changed;  ///< a client has come or gone
  base::SteadyTime quiet_until = base::SteadyTime::min();
};

asio::awaitable<void> Listener::State::accept_all([[maybe_unused]] std::shared_ptr<State> self,
                                                  Tcp::acceptor& acceptor) {
  while (acceptor.is_open()) {
    error_code error;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (!acceptor.is_open()) co_return;
    if (!error) {
      begin(std::move(socket));
      continue;
    }
    if (error == asio::error::connection_aborted) continue;
    service->log->warning("can't accept a client", {{"error", error.message()}});
    co_await timer().wait_for(kAcceptPause);
  }
}

void Listener::State::begin(Tcp::socket socket) {
  if (open.size() >= service->limits.clients) {
    refuse(std::move(socket));
    return;
  }
  auto connection = std::make_shared<Connection>(executor, std::move(socket), service);
  open.push_back(connection);
  changed.wake();
  // Neither owns the other through this: coroutines that never end must not keep both for ever.
  connection->start([self = weak_from_this(), ended = connection.get()] {
    if (const auto state = self.lock()) state->end(*ended);
  });
}

void Listener::State::refuse(Tcp::socket socket) {
  const auto words = std::string(catalogue::entry(catalogue::Reason::TooManyClients).message);
  if (timer().now() >= quiet_until) {
    quiet_until = timer().now() + kBetweenWarnings;
    service->log->warning(
        words, {{"reason", catalogue::code(catalogue::Reason::TooManyClients)}, {"clients", open.size()}});
  }
  net::Stream stream(std::move(socket), timer());
  stream.write_now(smtp::format(smtp::make_reply(421, "4.3.2", words)));
  stream.close();
}

void Listener::State::end(const Connection& ended) {
  std::erase_if(open, [&ended](const auto& connection) { return connection.get() == &ended; });
  changed.wake();
}

void Listener::State::close_acceptors() {
  error_code ignored;
  for (auto& acceptor : acceptors) acceptor.close(ignored);
}

Listener::Listener(asio::any_io_executor executor, net::Timer& timer, const base::Log& log, Handler& handler,
                   spool::Disk& disk, Limits limits) {
  auto service = std::make_shared<Service>(&timer, &log, &handler, &disk, limits);
  state_ = std::make_shared<State>(std::move(executor), std::move(service));
}

Listener::~Listener() {
  state_->service->stopping = true;
  state_->close_acceptors();
  for (const auto& connection : std::vector(state_->open)) connection->abort();
}

net::Result<std::uint16_t> Listener::listen(std::uint16_t port) {
  auto& [ipv4, ipv6] = state_->acceptors;
  const Tcp::endpoint endpoint4(asio::ip::address_v4::loopback(), port);
  auto error = net::listen(ipv4, endpoint4, net::Ipv6Socket::Ipv6Only);
  const auto bound = error ? Tcp::endpoint() : ipv4.local_endpoint(error);
  if (error) return failed(endpoint4, error);

  const Tcp::endpoint endpoint6(asio::ip::address_v6::loopback(), bound.port());
  error = net::listen(ipv6, endpoint6, net::Ipv6Socket::Ipv6Only);
  if (error && !means_no_ipv6(error)) {
    state_->close_acceptors();
    return failed(endpoint6, error);
  }
  for (auto& acceptor : state_->acceptors) {
    if (!acceptor.is_open()) continue;
    asio::co_spawn(state_->executor, state_->accept_all(state_, acceptor), asio::detached);
  }
  return bound.port();
}

std::size_t Listener::clients() const {
  return state_->open.size();
}

asio::awaitable<void> Listener::serve_until_quiet(base::Duration quiet, base::SteadyTime deadline) {
  const auto state = state_;
  while (state->timer().now() < deadline) {
    const bool anybody = !state->open.empty();
    const auto until = anybody ? deadline : std::min(deadline, state->timer().now() + quiet);
    const bool changed = co_await state->changed.wait(state->timer(), until);
    if (!changed && !anybody) co_return;
  }
}

asio::awaitable<void> Listener::stop(base::Duration grace) {
  const auto state = state_;
  state->service->stopping = true;
  state->close_acceptors();
  for (const auto& connection : std::vector(state->open)) connection->shut_down();
  const auto deadline = state->timer().now() + grace;
  while (!state->open.empty() && state->timer().now() < deadline) {
    co_await state->changed.wait(state->timer(), deadline);
  }
  for (const auto& connection : std::vector(state->open)) connection->abort();
}

}  // namespace mailid::server
