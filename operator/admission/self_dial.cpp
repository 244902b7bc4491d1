#include "operator/admission/self_dial.hpp"

#include "common/net/connect.hpp"

namespace mailid::admission {
namespace {

constexpr base::Duration kPatience{2'000};

}  // namespace

asio::awaitable<http::Unready> dial_ourselves(net::Resolver& resolver, net::Timer& timer, std::uint16_t port,
                                              std::string dns_name, std::string bundle_in_api) {
  if (bundle_in_api.empty()) co_return "the caBundle is not set yet";
  const auto deadline = timer.now() + kPatience;
  auto stream = co_await net::connect(resolver, timer, "127.0.0.1", port, deadline);
  if (!stream) co_return "our own port: " + stream.error().detail;

  net::TlsClientContext roots({.system_path = {}, .extra_pem = std::move(bundle_in_api)});
  const auto shaken = co_await stream->start_tls(roots, dns_name, deadline);
  stream->close();
  if (!shaken) co_return dns_name + ": " + shaken.error().detail;
  co_return std::nullopt;
}

}  // namespace mailid::admission
