#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/net/asio.hpp"
#include "common/net/error.hpp"
#include "common/net/timer.hpp"

namespace mailid::net {

using Endpoints = std::vector<asio::ip::tcp::endpoint>;

/// Names to addresses. Tests give one of their own (tests/fakes/fake_resolver.hpp).
class Resolver {
 public:
  virtual ~Resolver() = default;
  /// All addresses of `host` in the order to try them, at least one; NameNotFound or TimedOut otherwise.
  virtual asio::awaitable<Result<Endpoints>> resolve(std::string host, std::uint16_t port,
                                                     base::SteadyTime deadline) = 0;
};

/// The system's resolver (getaddrinfo on a thread of its own, so a slow server blocks nobody).
///
/// An address is taken as it is. A name with a dot is asked for as an absolute name before the search list, which
/// in a pod (ndots:5) would turn one provider's name into eight queries; /etc/hosts (hostAliases) counts before
/// both. For this the first of these objects sets RES_OPTIONS for the process, unless it is set already: make it
/// before there are threads.
class SystemResolver final : public Resolver {
 public:
  SystemResolver(asio::any_io_executor executor, Timer& timer);
  asio::awaitable<Result<Endpoints>> resolve(std::string host, std::uint16_t port,
                                             base::SteadyTime deadline) override;

 private:
  asio::any_io_executor executor_;
  Timer* timer_;
};

}  // namespace mailid::net
