#include "sidecar/server/listener.hpp"

#include <array>
#include <gmock/gmock.h>
#include <vector>

#include <boost/asio/write.hpp>

#include "tests/fakes/event_loop.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_disk.hpp"
#include "tests/fakes/fake_handler.hpp"
#include "tests/fakes/fake_timer.hpp"

namespace mailid::server {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// An app on the other side of a socket.
class Client {
 public:
  Client(fakes::EventLoop& loop, const tcp::endpoint& server) : loop_(&loop), socket_(loop.context()) {
    socket_.connect(server);
    read_more();
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes) {
    error_code ignored;
    asio::write(socket_, asio::buffer(bytes.data(), bytes.size()), ignored);
  }
  /// Waits for a complete reply and takes it.
  std::string reply() {
    loop_->run_until([this] { return ended_ || has_reply(); });
    return std::exchange(received_, {});
  }
  std::string ask(std::string_view bytes) {
    send(bytes);
    return reply();
  }
  /// Waits until the server has ended the connection; what came before.
  std::string rest() {
    loop_->run_until([this] { return ended_; });
    return std::exchange(received_, {});
  }
  void leave() { socket_.close(); }
  bool ended() const { return ended_; }

  /// Up to the final dot of a message.
  void send_message() {
    EXPECT_THAT(reply(), StartsWith("220 "));
    EXPECT_THAT(ask("EHLO app\r\n"), HasSubstr("250 ENHANCEDSTATUSCODES"));
    EXPECT_THAT(ask("MAIL FROM:<billing@contoso.test>\r\n"), StartsWith("250 "));
    EXPECT_THAT(ask("RCPT TO:<ann@fabrikam.test>\r\n"), StartsWith("250 "));
    EXPECT_THAT(ask("DATA\r\n"), StartsWith("354 "));
    send("Subject: hello\r\n\r\nHello\r\n.\r\n");
  }

 private:
  bool has_reply() const {
    if (!received_.ends_with("\r\n")) return false;
    const auto before = received_.rfind('\n', received_.size() - 2);
    const auto last = received_.substr(before == std::string::npos ? 0 : before + 1);
    return last.size() > 4 && last[3] == ' ';
  }
  void read_more() {
    socket_.async_read_some(asio::buffer(buffer_), [this](error_code error, std::size_t count) {
      received_.append(buffer_.data(), count);
      ended_ = error.failed();
      if (!error) read_more();
    });
  }

  fakes::EventLoop* loop_;
  tcp::socket socket_;
  std::array<char, 4096> buffer_{};
  std::string received_;
  bool ended_ = false;
};

class ListenerTest : public testing::Test {
 protected:
  void listen() {
    listener_.emplace(loop_.executor(), timer_, log_, handler_, disk_, limits_);
    const auto port = listener_->listen(0);
    ASSERT_TRUE(port) << port.error().detail;
    port_ = *port;
  }
  std::unique_ptr<Client> connect() {
    return std::make_unique<Client>(loop_, tcp::endpoint(asio::ip::address_v4::loopback(), port_));
  }
  std::unique_ptr<Client> greeted() {
    auto client = connect();
    EXPECT_THAT(client->reply(), StartsWith("220 "));
    return client;
  }
  /// Everybody does what he can; then time goes by.
  void advance(base::Duration by) {
    loop_.poll();
    timer_.advance(by);
    loop_.poll();
  }

  fakes::EventLoop loop_;
  fakes::FakeTimer timer_;
  fakes::FakeClock clock_;
  std::string logged_;
  base::Log log_{clock_, base::LogLevel::Info, [this](std::string_view line) { logged_ += line; }};
  fakes::FakeHandler handler_;
  fakes::FakeDisk disk_;
  Limits limits_;
  std::optional<Listener> listener_;
  std::uint16_t port_ = 0;
};

TEST_F(ListenerTest, TakesAMessageAndAnswersWithTheHandlersReply) {
  listen();
  auto client = connect();
  client->send_message();
  EXPECT_EQ(client->reply(), "250 2.0.0 OK queued as 4711\r\n");
  ASSERT_EQ(handler_.messages.size(), 1U);
  EXPECT_EQ(handler_.messages[0].octets, "Subject: hello\r\n\r\nHello\r\n");
  EXPECT_EQ(client->ask("QUIT\r\n"), "221 2.0.0 Bye\r\n");
  EXPECT_EQ(client->rest(), "");
}

}  // namespace
}  // namespace mailid::server
