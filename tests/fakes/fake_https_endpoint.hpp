#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/net/stream.hpp"
#include "tests/fakes/event_loop.hpp"
#include "tests/fakes/test_certificates.hpp"

namespace mailid::fakes {

/// An HTTPS server on 127.0.0.1 that reads one request from each connection and then does what a test scripted,
/// however wrong.
class FakeHttpsEndpoint {
 public:
  /// What happens to a connection once its request is read; it is closed when the script ends.
  using Script = std::function<asio::awaitable<void>(std::shared_ptr<net::Stream>)>;

  FakeHttpsEndpoint(EventLoop& loop, const TestCertificate& certificate)
      : timer_(loop.executor()), acceptor_(loop.context(), {asio::ip::address_v4::loopback(), 0}) {
    if (!tls_.use(certificate.pem, certificate.key))
      throw std::logic_error("the test's certificate is unusable");
    asio::co_spawn(loop.executor(), accept_all(), asio::detached);
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  void stop_listening() { acceptor_.close(); }

  /// Sends these bytes, then waits until the client goes.
  void answer(std::string bytes) {
    script = [this, bytes = std::move(bytes)](std::shared_ptr<net::Stream> stream) {
      return send(std::move(stream), bytes, {});
    };
  }
  /// Sends `first`, then `again` until the client goes.
  void flood(std::string first, std::string again) {
    script = [this, first = std::move(first), again = std::move(again)](std::shared_ptr<net::Stream> stream) {
      return send(std::move(stream), first, again);
    };
  }

  Script script;
  std::vector<std::string> requests;  ///< head and body
  int connections = 0;
  int left = 0;           ///< connections that the client has closed
  std::size_t sent = 0;   ///< bytes that were taken from a script
  bool speak_tls = true;  ///< false: the first bytes of a connection are answered in clear

 private:
  base::SteadyTime soon() const { return timer_.now() + std::chrono::seconds(10); }

  asio::awaitable<void> accept_all() {
    while (true) {
      error_code failed;
      auto socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
      if (failed) co_return;
      ++connections;
      auto stream = std::make_shared<net::Stream>(std::move(socket), timer_);
      asio::co_spawn(acceptor_.get_executor(), serve(std::move(stream)), asio::detached);
    }
  }

  asio::awaitable<void> serve(std::shared_ptr<net::Stream> stream) {
    if (!speak_tls) {
      stream->write_now("HTTP/1.1 400 Bad Request\r\n\r\n");
      co_return;
    }
    if (!co_await stream->accept_tls(tls_, soon())) co_return;
    std::string request;
    while (!complete(request)) {
      std::array<char, 4096> buffer{};
      const auto count = co_await stream->read_some(buffer, soon());
      if (!count) co_return;
      request.append(buffer.data(), *count);
    }
    requests.push_back(std::move(request));
    if (script) co_await script(stream);
  }

  static bool complete(const std::string& request) {
    const auto head = request.find("\r\n\r\n");
    const auto length = request.find("Content-Length:");
    if (request.starts_with("GET ")) return head != std::string::npos;
    if (head == std::string::npos || length == std::string::npos) return false;
    return request.size() >= head + 4 + std::stoul(request.substr(length + 15));
  }

  asio::awaitable<void> send(std::shared_ptr<net::Stream> stream, std::string first, std::string again) {
    auto bytes = std::move(first);
    while (co_await stream->write_all(bytes, soon())) {
      sent += bytes.size();
      if (again.empty()) break;
      bytes = again;
    }
    std::array<char, 16> buffer{};
    while (co_await stream->read_some(buffer, soon())) {
    }
    ++left;
  }

  net::SystemTimer timer_;
  net::TlsServerContext tls_;
  asio::ip::tcp::acceptor acceptor_;
};

}  // namespace mailid::fakes
