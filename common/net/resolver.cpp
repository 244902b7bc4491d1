#include "common/net/resolver.hpp"

#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

namespace mailid::net {
namespace {

using Tcp = asio::ip::tcp;

/// One getaddrinfo, which can't be stopped: it may end long after its caller has stopped waiting.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), ended(executor) {}

  Tcp::resolver resolver;
  Wakeup ended;
  error_code error;
  Endpoints endpoints;
};

void begin(const std::shared_ptr<Lookup>& lookup, const std::string& host, std::uint16_t port) {
  auto keep = [lookup](error_code error, const Tcp::resolver::results_type& results) {
    lookup->error = error;
    for (const auto& result : results) lookup->endpoints.push_back(result.endpoint());
    lookup->ended.wake();
  };
  lookup->resolver.async_resolve(host, std::to_string(port), Tcp::resolver::numeric_service, std::move(keep));
}

}  // namespace

SystemResolver::SystemResolver(asio::any_io_executor executor, Timer& timer)
    : executor_(std::move(executor)), timer_(&timer) {
  ::setenv("RES_OPTIONS", "ndots:1", 0);
}

asio::awaitable<Result<Endpoints>> SystemResolver::resolve(std::string host, std::uint16_t port,
                                                           base::SteadyTime deadline) {
  error_code not_an_address;
  const auto address = asio::ip::make_address(host, not_an_address);
  if (!not_an_address) co_return Endpoints(1, Tcp::endpoint(address, port));

  const auto lookup = std::make_shared<Lookup>(executor_);
  begin(lookup, host, port);
  if (!co_await lookup->ended.wait(*timer_, deadline)) {
    lookup->resolver.cancel();
    Error late{Fault::TimedOut, host + ": the name server did not answer in time"};
    co_return base::Unexpected<Error>(std::move(late));
  }
  if (lookup->error || lookup->endpoints.empty()) {
    Error unknown{Fault::NameNotFound, host + ": " + lookup->error.message()};
    co_return base::Unexpected<Error>(std::move(unknown));
  }
  co_return std::move(lookup->endpoints);
}

}  // namespace mailid::net
