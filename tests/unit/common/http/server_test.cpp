#include "common/http/server.hpp"

#include <array>
#include <gmock/gmock.h>
#include <stdexcept>
#include <vector>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace mailid::http {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

asio::awaitable<Response> respond(Request request) {
  if (request.path == "/bug") throw std::logic_error("a bug");
  co_return text_response(200,
                          request.method + ' ' + request.path + ' ' + std::to_string(request.body.size()));
}

/// The same once `gate` lets it.
asio::awaitable<Response> respond_later(Request request, net::Wakeup& gate, net::Timer& timer) {
  co_await gate.wait(timer, base::SteadyTime::max());
  co_return co_await respond(std::move(request));
}

/// A server in clear and clients of it on one thread: run_until() moves both.
class ServerTest : public testing::Test {
 protected:
  ServerTest() { limits_.request.body_bytes = 1024; }

  void serve() { serve(respond); }

  void serve(Handler handler) {
    server_ = std::make_unique<Server>(io_.get_executor(), timer_, log_, std::move(handler), limits_);
    const auto port = server_->listen("127.0.0.1", 0);
    ASSERT_TRUE(port) << port.error().detail;
    port_ = *port;
  }

  tcp::socket connect() {
    tcp::socket socket(io_);
    socket.connect({asio::ip::address_v4::loopback(), port_});
    return socket;
  }

  /// A small request on this connection is answered.
  void expect_served(tcp::socket& client) {
    send(client, "GET / HTTP/1.1\r\n\r\n");
    EXPECT_THAT(read_until(client, "GET / 0\n"), StartsWith("HTTP/1.1 200"));
  }

  /// Lets the server work until `condition` holds; fails after five seconds.
  template <class Condition>
  void run_until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 5s;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "it did not happen";
      if (io_.stopped()) io_.restart();
      io_.run_one_for(50ms);
    }
  }

  /// What the client gets until the server ends the connection.
  std::string read_all(tcp::socket& socket) {
    std::string bytes;
    error_code ended;
    asio::async_read(socket, asio::dynamic_buffer(bytes),
                     [&ended](error_code error, std::size_t) { ended = error; });
    run_until([&ended] { return ended.failed(); });
    return bytes;
  }

  /// What the client gets until `end` has come.
  std::string read_until(tcp::socket& socket, std::string_view end) {
    std::string bytes;
    std::array<char, 1024> buffer{};
    while (!bytes.ends_with(end)) {
      bool done = false;
      socket.async_read_some(asio::buffer(buffer), [&](error_code error, std::size_t count) {
        done = true;
        if (!error) bytes.append(buffer.data(), count);
      });
      run_until([&done] { return done; });
      if (HasFatalFailure()) break;
    }
    return bytes;
  }

  void send(tcp::socket& socket, std::string_view bytes) { asio::write(socket, asio::buffer(bytes)); }

  asio::io_context io_{1};
  base::SystemClock clock_;
  net::SystemTimer timer_{io_.get_executor()};
  std::string logged_;
  base::Log log_{clock_, base::LogLevel::Info, [this](std::string_view line) { logged_ += line; }};
  ServerLimits limits_;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

TEST_F(ServerTest, AnswersOneRequestAfterAnotherOnOneConnection) {
  serve();
  auto client = connect();
  send(client, "GET /first HTTP/1.1\r\n\r\n");
  EXPECT_THAT(read_until(client, "GET /first 0\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
  send(client, "POST /second HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_THAT(read_until(client, "POST /second 3\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ServerTest, AnswersRequestsThatCameTogether) {
  serve();
  auto client = connect();
  send(client, "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nConnection: close\r\n\r\n");
  const auto answers = read_all(client);
  EXPECT_THAT(answers, HasSubstr("GET /a 0\n"));
  EXPECT_THAT(answers, EndsWith("GET /b 0\n"));
}

TEST_F(ServerTest, SendsContinueToAClientThatWaitsForIt) {
  serve();
  auto client = connect();
  send(client, "POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(read_until(client, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  send(client, "ok");
  EXPECT_THAT(read_until(client, "POST / 2\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerTest, RefusesALargeBodyWithoutTakingIt) {
  serve();
  auto client = connect();
  send(client, "POST / HTTP/1.1\r\nContent-Length: 209715200\r\n\r\n" + std::string(100'000, 'x'));
  client.shutdown(tcp::socket::shutdown_send);
  EXPECT_THAT(read_all(client), StartsWith("HTTP/1.1 413 "));
}

TEST_F(ServerTest, RefusesAHeaderWithoutEnd) {
  serve();
  auto client = connect();
  send(client, "GET / HTTP/1.1\r\nX-Endless: " + std::string(100'000, 'x'));
  client.shutdown(tcp::socket::shutdown_send);
  EXPECT_THAT(read_all(client), StartsWith("HTTP/1.1 431 "));
}

TEST_F(ServerTest, HoldsNoMoreOfLargeRequestsTogetherThanItMay) {
  limits_.request.body_bytes = 1'000'000;
  limits_.large_requests = 300'000;
  net::Wakeup go_on(io_.get_executor());
  bool waiting = false;
  serve([&](Request request) {
    waiting = request.path == "/wait";
    return waiting ? respond_later(std::move(request), go_on, timer_) : respond(std::move(request));
  });
  const auto post = [](const std::string& path, std::size_t size) {
    return "POST " + path + " HTTP/1.1\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           std::string(size, 'x');
  };
  auto first = connect();
  send(first, post("/wait", 250'000));
  run_until([&waiting] { return waiting; });
  auto second = connect();
  send(second, post("/large", 250'000));
  EXPECT_THAT(read_until(second, "try again\n"), StartsWith("HTTP/1.1 503 "));
  auto small = connect();
  send(small, post("/small", 60'000));
  EXPECT_THAT(read_until(small, "POST /small 60000\n"), StartsWith("HTTP/1.1 200 OK\r\n"));

  // What was answered takes no room any more, nor does who has gone.
  go_on.wake();
  EXPECT_THAT(read_until(first, "POST /wait 250000\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
  second.close();
  run_until([this] { return server_->connections() == 2; });
  send(first, post("/large", 250'000));
  EXPECT_THAT(read_until(first, "POST /large 250000\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ServerTest, ClosesAConnectionThatSaysNothing) {
  limits_.request_time = 20ms;
  serve();
  auto client = connect();
  EXPECT_EQ(read_all(client), "");
  run_until([this] { return server_->connections() == 0; });
}

TEST_F(ServerTest, TellsAClientThatDripsThatItTookTooLong) {
  limits_.request_time = 20ms;
  serve();
  auto client = connect();
  send(client, "GET / HT");
  client.shutdown(tcp::socket::shutdown_send);
  auto dripping = connect();
  send(dripping, "GET / HT");
  EXPECT_THAT(read_until(dripping, "\n"), StartsWith("HTTP/1.1 408 "));
}

TEST_F(ServerTest, ClosesAConnectionThatIsNotUsedAgain) {
  limits_.idle = 20ms;
  serve();
  auto client = connect();
  send(client, "GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(read_all(client), EndsWith("GET / 0\n"));
}

TEST_F(ServerTest, MakesRoomByClosingTheConnectionThatHasWaitedLongest) {
  limits_.connections = 2;
  serve();
  auto first = connect();
  auto second = connect();
  run_until([this] { return server_->connections() == 2; });
  send(first, "GET / HTTP/1.1\r\n\r\n");
  read_until(first, "GET / 0\n");
  auto third = connect();
  EXPECT_EQ(read_all(second), "");
  for (auto* client : {&first, &third}) expect_served(*client);
}

TEST_F(ServerTest, EndsNobodyWhoHasJustCome) {
  limits_.connections = 2;
  limits_.quiet = 1h;
  serve();
  auto first = connect();
  auto second = connect();
  run_until([this] { return server_->connections() == 2; });
  auto third = connect();
  EXPECT_EQ(read_all(third), "");
  for (auto* client : {&first, &second}) expect_served(*client);
}

TEST_F(ServerTest, TakesNoMoreWhereAllAreBeingAnswered) {
  std::array gates{net::Wakeup(io_.get_executor()), net::Wakeup(io_.get_executor())};
  std::size_t asked = 0;
  limits_.connections = 2;
  serve([&](Request request) { return respond_later(std::move(request), gates.at(asked++), timer_); });
  auto first = connect();
  auto second = connect();
  for (auto* client : {&first, &second}) send(*client, "GET / HTTP/1.1\r\n\r\n");
  run_until([&] { return asked == 2; });
  auto third = connect();
  EXPECT_EQ(read_all(third), "");
  for (auto& gate : gates) gate.wake();
  for (auto* client : {&first, &second}) {
    EXPECT_THAT(read_until(*client, "GET / 0\n"), StartsWith("HTTP/1.1 200"));
  }
}

TEST_F(ServerTest, ServesItsNextClientThroughACrowdThatOnlyWaits) {
  limits_.connections = 8;
  serve();
  std::vector<tcp::socket> crowd;
  for (int i = 0; i < 100; ++i) {
    crowd.push_back(connect());
    send(crowd.back(), "GET / HT");
  }
  auto client = connect();
  expect_served(client);
  EXPECT_LE(server_->connections(), 9U);
}

TEST_F(ServerTest, KeepsNothingOfClientsThatWentAway) {
  serve();
  for (int i = 0; i < 50; ++i) {
    auto client = connect();
    send(client, "GET / HT");
  }
  auto last = connect();
  send(last, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  read_all(last);
  run_until([this] { return server_->connections() == 0; });
}

TEST_F(ServerTest, AnswersABugWith500AndServesTheNext) {
  serve();
  auto client = connect();
  send(client, "GET /bug HTTP/1.1\r\n\r\n");
  EXPECT_THAT(read_until(client, "internal error\n"), StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(logged_, HasSubstr("a bug"));
  send(client, "GET /next HTTP/1.1\r\n\r\n");
  EXPECT_THAT(read_until(client, "GET /next 0\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerTest, EndsWaitingConnectionsWhenItStops) {
  serve();
  auto client = connect();
  run_until([this] { return server_->connections() == 1; });
  bool stopped = false;
  asio::co_spawn(io_, server_->stop(5s), [&stopped](const std::exception_ptr&) { stopped = true; });
  EXPECT_EQ(read_all(client), "");
  run_until([&stopped] { return stopped; });
}

TEST_F(ServerTest, AnswersWhatIsUnderWayBeforeItStops) {
  net::Wakeup gate(io_.get_executor());
  bool asked = false;
  serve([&](Request request) {
    asked = true;
    return respond_later(std::move(request), gate, timer_);
  });
  auto client = connect();
  send(client, "GET / HTTP/1.1\r\n\r\n");
  run_until([&asked] { return asked; });
  asio::co_spawn(io_, server_->stop(5s), asio::detached);
  io_.poll();
  gate.wake();
  EXPECT_THAT(read_all(client), EndsWith("GET / 0\n"));
}

TEST_F(ServerTest, TakesNobodyOnceItStops) {
  serve();
  asio::co_spawn(io_, server_->stop(1s), asio::detached);
  io_.poll();
  tcp::socket late(io_);
  error_code error;
  late.connect({asio::ip::address_v4::loopback(), port_}, error);
  EXPECT_TRUE(error);
}

TEST_F(ServerTest, SaysWhyItCantListen) {
  serve();
  Server second(io_.get_executor(), timer_, log_, respond, limits_);
  const auto port = second.listen("127.0.0.1", port_);
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().fault, net::Fault::Unreachable);
}

}  // namespace
}  // namespace mailid::http
