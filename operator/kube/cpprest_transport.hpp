#pragma once

#include <memory>

#include "common/net/timer.hpp"
#include "operator/kube/config.hpp"
#include "operator/kube/transport.hpp"

namespace mailid::kube {

/// Gives cpprestsdk one thread instead of 40: with two or more its client has data races. To be called before
/// anything else of that library is used in the process, first thing in main(); again is harmless.
void use_one_http_thread();

/// Transport over cpprestsdk's client. The library's one thread does the HTTP, the executor of the coroutine that calls
/// all the rest.
///
/// Only the configuration's roots are believed, TLS is 1.2 or newer, the server's certificate must be for the host in
/// the configuration's address. Certificate files are read again for each new connection.
class CpprestTransport final : public Transport {
 public:
  /// `timer` must outlive this and all that it has opened.
  CpprestTransport(net::Timer& timer, const Config& config);
  /// What is under way fails; nothing is waited for.
  ~CpprestTransport() override;
  CpprestTransport(const CpprestTransport&) = delete;
  CpprestTransport& operator=(const CpprestTransport&) = delete;

  boost::asio::awaitable<TransportResult<Response>> send(Request request) override;
  boost::asio::awaitable<TransportResult<OpenResponse>> open(Request request) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mailid::kube
