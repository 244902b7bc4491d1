#pragma once

#include <cstdint>
#include <string>

#include "common/http/status_pages.hpp"
#include "common/net/resolver.hpp"

namespace mailid::admission {

/// Dials our own listener as the API server would: TLS with the Service's name, verified against nothing but the
/// caBundle that is in the API. So a webhook that is ready is one that the API server can believe.
/// @param bundle_in_api  PEM; empty where none was seen yet
/// @return why the API server could not use us, or nothing where it can; takes two seconds at most
asio::awaitable<http::Unready> dial_ourselves(net::Resolver& resolver, net::Timer& timer, std::uint16_t port,
                                              std::string dns_name, std::string bundle_in_api);

}  // namespace mailid::admission
