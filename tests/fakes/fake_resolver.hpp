#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/net/resolver.hpp"

namespace mailid::fakes {

/// A resolver that knows what a test wrote down.
class FakeResolver final : public net::Resolver {
 public:
  /// Ports count only where an endpoint's is 0; so a name's relay may listen anywhere.
  std::map<std::string, net::Endpoints> known;
  /// Every name that was asked for.
  std::vector<std::string> asked;

  /// `name` is this machine, at `port` whatever port is asked for.
  void put_loopback(const std::string& name, std::uint16_t port) {
    known[name] = {{asio::ip::address_v4::loopback(), port}};
  }

  asio::awaitable<net::Result<net::Endpoints>> resolve(std::string host, std::uint16_t port,
                                                       base::SteadyTime) override {
    asked.push_back(host);
    const auto found = known.find(host);
    if (found == known.end()) {
      net::Error unknown{net::Fault::NameNotFound, host + ": the test does not know this name"};
      co_return base::Unexpected<net::Error>(std::move(unknown));
    }
    auto endpoints = found->second;
    for (auto& endpoint : endpoints) {
      if (endpoint.port() == 0) endpoint.port(port);
    }
    co_return endpoints;
  }
};

}  // namespace mailid::fakes
