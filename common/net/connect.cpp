#include "common/net/connect.hpp"

#include <utility>

namespace mailid::net {
namespace {

using Tcp = asio::ip::tcp;

std::string words(const Tcp::endpoint& endpoint, const std::string& what) {
  const auto address = endpoint.address().to_string();
  const auto host = endpoint.address().is_v6() ? '[' + address + ']' : address;
  return host + ':' + std::to_string(endpoint.port()) + ": " + what;
}

asio::awaitable<Result<Stream>> connect_to(Tcp::endpoint endpoint, Timer& timer, base::SteadyTime deadline) {
  Tcp::socket socket(co_await asio::this_coro::executor);
  bool late = false;
  auto ring = [&socket, &late] {
    late = true;
    error_code ignored;
    socket.close(ignored);
  };
  const auto alarm = timer.set_alarm(deadline, std::move(ring));
  error_code error;
  co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, error));
  if (late) {
    Error slow{Fault::TimedOut, words(endpoint, "no answer in time")};
    co_return base::Unexpected<Error>(std::move(slow));
  }
  if (error) {
    Error failed{Fault::Unreachable, words(endpoint, error.message())};
    co_return base::Unexpected<Error>(std::move(failed));
  }
  co_return Stream(std::move(socket), timer);
}

}  // namespace

asio::awaitable<Result<Stream>> connect(Resolver& resolver, Timer& timer, std::string host,
                                        std::uint16_t port, base::SteadyTime deadline) {
  auto endpoints = co_await resolver.resolve(host, port, deadline);
  if (!endpoints) co_return base::Unexpected<Error>(std::move(endpoints.error()));

  Error last{Fault::TimedOut, host + ": no time left to connect"};
  auto untried = static_cast<int>(endpoints->size());
  for (const auto& endpoint : *endpoints) {
    const auto now = timer.now();
    if (now >= deadline) break;
    auto stream = co_await connect_to(endpoint, timer, now + (deadline - now) / untried);
    if (stream) co_return std::move(*stream);
    last = std::move(stream.error());
    --untried;
  }
  co_return base::Unexpected<Error>(std::move(last));
}

}  // namespace mailid::net
