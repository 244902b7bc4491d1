#include "sidecar/server/listener.hpp"

#include <array>
#include <gmock/gmock.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

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
using testing::HasSubstr;
using testing::StartsWith;

/// An app on the other side of a socket.
class Client : public std::enable_shared_from_this<Client> {
 public:
  explicit Client(fakes::EventLoop& loop) : loop_(&loop), socket_(loop.context()) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void connect(const tcp::endpoint& server) {
    socket_.connect(server);
    read_more();
  }
  /// Returns when the bytes are where the server can read them, which on a busy machine takes a moment.
  void send(std::string_view bytes) {
    error_code ignored;
    asio::write(socket_, asio::buffer(bytes.data(), bytes.size()), ignored);
    loop_->run_until([this] {
      int under_way = 0;
      return ::ioctl(socket_.native_handle(), SIOCOUTQ, &under_way) != 0 || under_way == 0;
    });
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
  void stop_reading() { deaf_ = true; }
  void leave() { socket_.close(); }
  bool ended() const { return ended_; }

  /// Up to where a message begins.
  void say_data() {
    EXPECT_THAT(reply(), StartsWith("220 "));
    EXPECT_THAT(ask("EHLO app\r\n"), HasSubstr("250 ENHANCEDSTATUSCODES"));
    EXPECT_THAT(ask("MAIL FROM:<billing@contoso.test>\r\n"), StartsWith("250 "));
    EXPECT_THAT(ask("RCPT TO:<ann@fabrikam.test>\r\n"), StartsWith("250 "));
    EXPECT_THAT(ask("DATA\r\n"), StartsWith("354 "));
  }
  /// Up to the final dot of a message.
  void send_message() {
    say_data();
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
    socket_.async_read_some(asio::buffer(buffer_),
                            [this, self = shared_from_this()](error_code error, std::size_t count) {
                              received_.append(buffer_.data(), count);
                              ended_ = error.failed();
                              if (!error && !deaf_) read_more();
                            });
  }

  fakes::EventLoop* loop_;
  tcp::socket socket_;
  std::array<char, 4096> buffer_{};
  std::string received_;
  bool ended_ = false;
  bool deaf_ = false;
};

class ListenerTest : public testing::Test {
 protected:
  void listen() {
    listener_ = std::make_unique<Listener>(loop_.executor(), timer_, log_, handler_, disk_, limits_);
    const auto port = listener_->listen(0);
    ASSERT_TRUE(port) << port.error().detail;
    port_ = *port;
  }
  std::shared_ptr<Client> connect(const asio::ip::address& address) {
    auto client = std::make_shared<Client>(loop_);
    client->connect(tcp::endpoint(address, port_));
    return client;
  }
  std::shared_ptr<Client> connect() { return connect(asio::ip::address_v4::loopback()); }
  std::shared_ptr<Client> greeted() {
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
  std::unique_ptr<Listener> listener_;
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
  loop_.run_until([this] { return listener_->clients() == 0; });
}

TEST_F(ListenerTest, ServesBothLoopbackAddressesAndNoOther) {
  listen();
  EXPECT_THAT(connect(asio::ip::address_v6::loopback())->reply(), StartsWith("220 "));
  tcp::socket other(loop_.context());
  error_code refused;
  other.connect(tcp::endpoint(asio::ip::make_address_v4("127.0.0.2"), port_), refused);
  EXPECT_EQ(refused, asio::error::connection_refused);
}

TEST_F(ListenerTest, NamesThePortThatSomebodyElseHas) {
  for (const auto& address : {asio::ip::address(asio::ip::address_v4::loopback()),
                              asio::ip::address(asio::ip::address_v6::loopback())}) {
    tcp::acceptor other(loop_.context(), tcp::endpoint(address, 0));
    Listener second(loop_.executor(), timer_, log_, handler_, disk_);
    const auto port = second.listen(other.local_endpoint().port());
    ASSERT_FALSE(port);
    EXPECT_THAT(port.error().detail, HasSubstr(address.to_string() + " port "));
    EXPECT_THAT(port.error().detail, HasSubstr("Address already in use"));
  }
}

TEST_F(ListenerTest, TakesTheNextMessageOnTheSameConnection) {
  listen();
  auto client = connect();
  client->send_message();
  EXPECT_THAT(client->reply(), StartsWith("250 "));
  EXPECT_THAT(client->ask("MAIL FROM:<billing@contoso.test>\r\n"), StartsWith("250 "));
  EXPECT_THAT(client->ask("RCPT TO:<bob@fabrikam.test>\r\n"), StartsWith("250 "));
  EXPECT_THAT(client->ask("DATA\r\n"), StartsWith("354 "));
  EXPECT_THAT(client->ask("second\r\n.\r\n"), StartsWith("250 "));
  EXPECT_EQ(handler_.messages.size(), 2U);
}

TEST_F(ListenerTest, TurnsABugInTheHandlerInto451ForThisMessageOnly) {
  handler_.throws = true;
  listen();
  auto client = connect();
  client->send_message();
  EXPECT_EQ(client->reply(), "451 4.3.0 Internal error; try again\r\n");
  EXPECT_THAT(logged_, HasSubstr("a message failed by a bug"));
  EXPECT_THAT(client->ask("NOOP\r\n"), StartsWith("250 "));
}

TEST_F(ListenerTest, RefusesClientsBeyondTheLimitAndServesAgainWhenOneHasGone) {
  limits_.clients = 2;
  listen();
  auto first = greeted();
  auto second = greeted();
  auto third = connect();
  EXPECT_EQ(third->rest(), "421 4.3.2 The app has more connections open than the sidecar serves\r\n");
  EXPECT_THAT(logged_, HasSubstr("\"reason\":\"TooManyClients\""));
  first->leave();
  loop_.run_until([this] { return listener_->clients() == 1; });
  greeted();
}

TEST_F(ListenerTest, TellsTheHandlerOfMessagesThatCannotBeSent) {
  handler_.size_limit = 100'000;
  listen();
  const auto answer = [this](const std::string& message) {
    auto client = connect();
    client->say_data();
    return client->ask(message + "\r\n.\r\n");
  };
  EXPECT_THAT(answer(std::string(100'000, 'x')), StartsWith("552 "));
  EXPECT_THAT(answer(std::string(1, '\0')), StartsWith("554 "));
  disk_.room = 0;
  EXPECT_THAT(answer(std::string(80'000, 'x')), StartsWith("452 "));
  EXPECT_THAT(handler_.turned_away_with,
              testing::ElementsAre(StartsWith("MessageTooLarge: 552 "), StartsWith("MessageRejected: 554 "),
                                   StartsWith("DiskFull: 452 ")));
  EXPECT_TRUE(handler_.messages.empty());
}

// What comes too early.

TEST_F(ListenerTest, CutsOffAClientThatPipelines) {
  listen();
  auto client = greeted();
  client->send("EHLO app\r\nMAIL FROM:<billing@contoso.test>\r\n");
  EXPECT_THAT(client->reply(), StartsWith("554 5.5.0 "));
  advance(1s);
  EXPECT_EQ(client->rest(), "");
  EXPECT_THAT(logged_, HasSubstr("sent on before our reply"));
}

TEST_F(ListenerTest, FindsACommandBehindTheDotThatTheBufferDidNotHold) {
  // The final dot is the last that fits the reader's 4096 octets, the smuggled command comes in the same piece.
  listen();
  auto client = connect();
  client->say_data();
  client->send(std::string(4096 - 5, 'x') + "\r\n.\r\nMAIL FROM:<evil@contoso.test>\r\n");
  EXPECT_THAT(client->reply(), StartsWith("554 5.5.0 "));
  EXPECT_TRUE(handler_.messages.empty());
}

TEST_F(ListenerTest, FindsACommandBehindTheDotOfAMessageThatItRefuses) {
  listen();
  auto client = connect();
  client->say_data();
  client->send('\0' + std::string(4096 - 6, 'x') + "\r\n.\r\nMAIL FROM:<evil@contoso.test>\r\n");
  EXPECT_THAT(client->reply(), StartsWith("554 5.5.0 "));
  advance(1s);
  EXPECT_EQ(client->rest(), "");
}

TEST_F(ListenerTest, DeliversForAnAppThatSaysQuitBehindItsDotAndLeaves) {
  listen();
  auto client = connect();
  client->send_message();
  client->send("QUIT\r\n");
  client->leave();
  loop_.run_until([this] { return handler_.messages.size() == 1; });
  loop_.run_until([this] { return listener_->clients() == 0; });
}

// While the handler delivers.

class DeliveryTest : public ListenerTest {
 protected:
  DeliveryTest() {
    handler_.wait = [this](std::stop_token app_gone) { return until_released(std::move(app_gone)); };
  }

  asio::awaitable<void> until_released(std::stop_token app_gone) {
    ++waiting_;
    app_gone_ = app_gone;
    co_await released_.wait(timer_, base::SteadyTime::max());
    --waiting_;
  }
  /// A message that the handler has and does not answer.
  std::shared_ptr<Client> delivering() {
    auto client = connect();
    client->send_message();
    loop_.run_until([this] { return waiting_ > 0; });
    return client;
  }

  net::Wakeup released_{loop_.executor()};
  std::stop_token app_gone_;
  int waiting_ = 0;
};

TEST_F(DeliveryTest, TellsTheHandlerWhenTheAppGoes) {
  listen();
  auto client = delivering();
  EXPECT_TRUE(app_gone_.stop_possible());
  EXPECT_FALSE(app_gone_.stop_requested());
  client->leave();
  loop_.run_until([this] { return app_gone_.stop_requested(); });
  EXPECT_EQ(listener_->clients(), 1U) << "the handler is not done";
  released_.wake();
  loop_.run_until([this] { return listener_->clients() == 0; });
}

TEST_F(DeliveryTest, CallsWhoeverAskedToBeToldThatTheAppHasGone) {
  listen();
  auto client = delivering();
  const std::stop_callback release(app_gone_, [this] { released_.wake(); });
  client->leave();
  loop_.run_until([this] { return listener_->clients() == 0; });
}

TEST_F(DeliveryTest, WaitsForTheHandlerLongerThanForAClient) {
  listen();
  auto client = delivering();
  for (int i = 0; i < 15; ++i) advance(1min);
  EXPECT_FALSE(client->ended());
  released_.wake();
  EXPECT_THAT(client->reply(), StartsWith("250 "));
  EXPECT_THAT(client->ask("NOOP\r\n"), StartsWith("250 "));
}

TEST_F(DeliveryTest, GivesTheClientItsWholeTimeAfterTheAnswer) {
  listen();
  auto client = delivering();
  advance(limits_.line_time - 1s);
  released_.wake();
  EXPECT_THAT(client->reply(), StartsWith("250 "));
  advance(limits_.line_time - 1s);
  EXPECT_THAT(client->ask("NOOP\r\n"), StartsWith("250 "));
  advance(limits_.line_time);
  EXPECT_EQ(client->rest(), "421 4.4.2 Waited too long for you\r\n");
}

TEST_F(DeliveryTest, AnswersTruthfullyBeforeItCutsOffAClientThatSentOn) {
  listen();
  auto client = delivering();
  client->send("MAIL FROM:<evil@contoso.test>\r\n");
  loop_.poll();
  EXPECT_FALSE(client->ended());
  released_.wake();
  EXPECT_THAT(client->reply(), testing::MatchesRegex("250 2.0.0 .*\r\n554 5.5.0 .*\r\n"));
  advance(1s);
  EXPECT_EQ(client->rest(), "");
  EXPECT_EQ(handler_.messages.size(), 1U);
}

TEST_F(DeliveryTest, TakesAQuitThatComesMeanwhile) {
  listen();
  auto client = delivering();
  client->send("QUIT\r\n");
  loop_.poll();
  released_.wake();
  EXPECT_EQ(client->rest(), "250 2.0.0 OK queued as 4711\r\n221 2.0.0 Bye\r\n");
}

TEST_F(DeliveryTest, OutlivesItsListener) {
  listen();
  auto client = delivering();
  listener_.reset();
  EXPECT_EQ(client->rest(), "");
  EXPECT_TRUE(app_gone_.stop_requested());
  released_.wake();
  loop_.run_until([this] { return waiting_ == 0; });
  loop_.poll();
}

// Clients that take their time.

TEST_F(ListenerTest, EndsWithAClientThatIsSilent) {
  listen();
  auto client = greeted();
  advance(limits_.line_time - 1s);
  EXPECT_FALSE(client->ended());
  advance(1s);
  EXPECT_EQ(client->rest(), "421 4.4.2 Waited too long for you\r\n");
  loop_.run_until([this] { return listener_->clients() == 0; });
}

TEST_F(ListenerTest, GivesALineItsTimeHoweverOftenAnOctetComes) {
  listen();
  auto client = greeted();
  for (int i = 0; i < 9; ++i) {
    client->send("N");
    loop_.run_until([this] { return timer_.waiting() > 0; });
    advance(limits_.line_time / 10);
  }
  client->send("N");
  advance(limits_.line_time / 10);
  EXPECT_EQ(client->rest(), "421 4.4.2 Waited too long for you\r\n");
}

TEST_F(ListenerTest, TakesASlowMessageAsLongAsItKeepsTheRate) {
  listen();
  auto client = connect();
  client->say_data();
  const std::string minute(60 * limits_.data_rate, 'x');
  for (int i = 0; i < 20; ++i) {
    client->send(minute);
    advance(1min);
    ASSERT_FALSE(client->ended());
  }
  advance(limits_.data_time + 1s);
  EXPECT_EQ(client->rest(), "421 4.4.2 Waited too long for you\r\n");
  EXPECT_EQ(disk_.open, 0);
  EXPECT_TRUE(handler_.messages.empty());
}

TEST_F(ListenerTest, ForgetsAMessageWhoseClientGoesBeforeTheDot) {
  listen();
  auto client = connect();
  client->say_data();
  client->send("half of it\r\n");
  client->leave();
  loop_.run_until([this] { return listener_->clients() == 0; });
  EXPECT_TRUE(handler_.messages.empty());
}

TEST_F(ListenerTest, EndsWithAClientThatDoesNotReadItsReply) {
  // More than both sockets can hold.
  handler_.answer.lines.assign(40'000, std::string(400, 'x'));
  listen();
  auto client = connect();
  client->send_message();
  client->stop_reading();
  loop_.run_until([this] { return handler_.messages.size() == 1; });
  advance(limits_.reply_time - 1s);
  EXPECT_EQ(listener_->clients(), 1U);
  advance(1s);
  loop_.run_until([this] { return listener_->clients() == 0; });
}

// The end.

class StopTest : public DeliveryTest {
 protected:
  void stop(base::Duration grace) {
    auto done = [this](const std::exception_ptr&) { stopped_ = true; };
    asio::co_spawn(loop_.executor(), listener_->stop(grace), std::move(done));
    loop_.poll();
  }
  bool stopped_ = false;
};

TEST_F(StopTest, SendsIdleClientsAwayAtOnceAndTakesNoMore) {
  listen();
  auto client = greeted();
  stop(10s);
  EXPECT_EQ(client->rest(), "421 4.3.2 The mail sidecar is shutting down\r\n");
  loop_.run_until([this] { return stopped_; });
  tcp::socket late(loop_.context());
  error_code refused;
  late.connect({asio::ip::address_v4::loopback(), port_}, refused);
  EXPECT_EQ(refused, asio::error::connection_refused);
}

TEST_F(StopTest, AnswersTheMessageUnderWay) {
  listen();
  auto client = delivering();
  stop(10s);
  EXPECT_FALSE(stopped_);
  released_.wake();
  EXPECT_EQ(client->rest(), "250 2.0.0 OK queued as 4711\r\n421 4.3.2 The mail sidecar is shutting down\r\n");
  loop_.run_until([this] { return stopped_; });
}

TEST_F(StopTest, LetsAMessageBeReceivedToItsEnd) {
  listen();
  auto client = connect();
  client->reply();
  client->ask("EHLO app\r\n");
  client->ask("MAIL FROM:<billing@contoso.test>\r\n");
  stop(10s);
  client->ask("RCPT TO:<ann@fabrikam.test>\r\n");
  client->ask("DATA\r\n");
  client->send("x\r\n.\r\n");
  loop_.run_until([this] { return waiting_ > 0; });
  released_.wake();
  EXPECT_THAT(client->rest(), StartsWith("250 "));
}

TEST_F(StopTest, ClosesWhatIsNotDoneWithinTheGrace) {
  listen();
  auto half = connect();
  half->reply();
  half->ask("EHLO app\r\n");
  half->ask("MAIL FROM:<billing@contoso.test>\r\n");
  auto waiting = delivering();
  stop(10s);
  advance(9s);
  EXPECT_FALSE(half->ended());
  advance(1s);
  EXPECT_THAT(half->rest(), StartsWith("421 4.3.2 "));
  EXPECT_EQ(waiting->rest(), "") << "nobody knows what becomes of its message";
  loop_.run_until([this] { return stopped_; });
  EXPECT_TRUE(app_gone_.stop_requested());
  released_.wake();
  loop_.run_until([this] { return listener_->clients() == 0; });
}

class QuietTest : public ListenerTest {
 protected:
  void serve_until_quiet() {
    auto done = [this](const std::exception_ptr&) { quiet_ = true; };
    asio::co_spawn(loop_.executor(), listener_->serve_until_quiet(2s, timer_.now() + 20s), std::move(done));
    loop_.poll();
  }
  bool quiet_ = false;
};

TEST_F(QuietTest, IsReachedWhenNobodyHasComeForAWhile) {
  listen();
  serve_until_quiet();
  advance(1s);
  EXPECT_FALSE(quiet_);
  advance(1s);
  EXPECT_TRUE(quiet_);
}

TEST_F(QuietTest, IsCountedFromTheLastClientOn) {
  listen();
  serve_until_quiet();
  auto client = greeted();
  advance(10s);
  EXPECT_FALSE(quiet_);
  client->leave();
  loop_.run_until([this] { return listener_->clients() == 0; });
  advance(1s);
  EXPECT_FALSE(quiet_);
  greeted()->leave();
  loop_.run_until([this] { return listener_->clients() == 0; });
  advance(1s);
  EXPECT_FALSE(quiet_);
  advance(1s);
  EXPECT_TRUE(quiet_);
}

TEST_F(QuietTest, EndsAtTheDeadlineWhoeverIsThere) {
  listen();
  serve_until_quiet();
  auto client = greeted();
  advance(19s);
  EXPECT_FALSE(quiet_);
  advance(1s);
  EXPECT_TRUE(quiet_);
  EXPECT_FALSE(client->ended());
}

}  // namespace
}  // namespace mailid::server
