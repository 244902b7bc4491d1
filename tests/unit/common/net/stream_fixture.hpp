#pragma once

#include <array>
#include <gmock/gmock.h>
#include <string>

#include "common/net/stream.hpp"
#include "tests/fakes/event_loop.hpp"
#include "tests/fakes/fake_timer.hpp"
#include "tests/fakes/test_certificates.hpp"

namespace mailid::net {

/// Both ends of a connection over loopback on one thread.
class StreamTest : public testing::Test {
 protected:
  using Tcp = asio::ip::tcp;

  base::SteadyTime soon() const { return timer_.now() + std::chrono::seconds(10); }

  /// Reads once from `stream`; the fault's detail where that fails.
  std::string read(Stream& stream) {
    std::array<char, 4096> buffer{};
    const auto count = loop_.run(stream.read_some(buffer, soon()));
    return count ? std::string(buffer.data(), *count) : "failed: " + count.error().detail;
  }

  std::string read_exactly(Stream& stream, std::size_t size) {
    std::string bytes;
    while (bytes.size() < size) {
      std::array<char, 16384> buffer{};
      const auto count = loop_.run(stream.read_some(buffer, soon()));
      if (!count) return "failed: " + count.error().detail;
      bytes.append(buffer.data(), *count);
    }
    return bytes;
  }

  bool write(Stream& stream, std::string_view bytes) {
    return loop_.run(stream.write_all(bytes, soon())).has_value();
  }

  std::pair<Tcp::socket, Tcp::socket> connected_pair() {
    Tcp::acceptor acceptor(loop_.context(), {asio::ip::address_v4::loopback(), 0});
    Tcp::socket client(loop_.context());
    client.connect(acceptor.local_endpoint());
    auto server = acceptor.accept();
    return {std::move(client), std::move(server)};
  }

  fakes::EventLoop loop_;
  fakes::FakeTimer timer_;
  std::pair<Tcp::socket, Tcp::socket> pair_ = connected_pair();
  Stream client_{std::move(pair_.first), timer_};
  Stream server_{std::move(pair_.second), timer_};
};

}  // namespace mailid::net
