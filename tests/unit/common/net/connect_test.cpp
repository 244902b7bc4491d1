#include "common/net/connect.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/event_loop.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/fake_timer.hpp"

namespace mailid::net {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;
using testing::HasSubstr;

tcp::endpoint loopback(std::uint16_t port) {
  return {asio::ip::address_v4::loopback(), port};
}

class ConnectTest : public testing::Test {
 protected:
  std::uint16_t listening_port() { return acceptor_.local_endpoint().port(); }

  /// A port that answers with a reset: it was ours a moment ago.
  std::uint16_t closed_port() {
    tcp::acceptor gone(loop_.context(), loopback(0));
    return gone.local_endpoint().port();
  }

  /// A port that neither answers nor refuses: its queue of connections is full.
  std::uint16_t silent_port() {
    silent_.open(tcp::v4());
    silent_.bind(loopback(0));
    silent_.listen(0);
    const auto port = silent_.local_endpoint().port();
    for (int i = 0; i < 2; ++i) {
      queued_.emplace_back(loop_.context());
      queued_.back().open(tcp::v4());
      queued_.back().native_non_blocking(true);
      // Asio's own connect() would wait for the answer.
      const auto full = loopback(port);
      const int begun =
          ::connect(queued_.back().native_handle(), full.data(), static_cast<socklen_t>(full.size()));
      EXPECT_TRUE(begun == 0 || errno == EINPROGRESS);
    }
    return port;
  }

  auto connect_to(const std::string& host) {
    return connect(resolver_, timer_, host, 25, timer_.now() + 10s);
  }

  fakes::EventLoop loop_;
  fakes::FakeTimer timer_;
  fakes::FakeResolver resolver_;
  tcp::acceptor acceptor_{loop_.context(), loopback(0)};
  tcp::acceptor silent_{loop_.context()};
  std::vector<tcp::socket> queued_;
};

TEST_F(ConnectTest, TakesTheFirstAddressThatAnswers) {
  resolver_.known["relay.test"] = {loopback(closed_port()), loopback(listening_port())};
  const auto stream = loop_.run(connect_to("relay.test"));
  ASSERT_TRUE(stream) << stream.error().detail;
  EXPECT_TRUE(stream->open());
  EXPECT_FALSE(stream->encrypted());
}

TEST_F(ConnectTest, NamesTheLastAddressThatRefused) {
  const auto port = closed_port();
  resolver_.known["relay.test"] = {loopback(port)};
  const auto stream = loop_.run(connect_to("relay.test"));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().fault, Fault::Unreachable);
  EXPECT_EQ(stream.error().detail, "127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST_F(ConnectTest, SaysThatTheNameHasNoAddress) {
  const auto stream = loop_.run(connect_to("nowhere.test"));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().fault, Fault::NameNotFound);
}

TEST_F(ConnectTest, GivesASilentAddressOnlyItsShareOfTheTime) {
  resolver_.known["relay.test"] = {loopback(silent_port()), loopback(listening_port())};
  const auto connecting = loop_.begin(connect_to("relay.test"));
  EXPECT_FALSE(connecting->has_value());
  timer_.advance(5s);
  EXPECT_TRUE(loop_.wait_for(connecting));
}

TEST_F(ConnectTest, SaysThatNobodyAnsweredInTime) {
  const auto port = silent_port();
  resolver_.known["relay.test"] = {loopback(port)};
  const auto connecting = loop_.begin(connect_to("relay.test"));
  timer_.advance(10s);
  const auto& stream = loop_.wait_for(connecting);
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().fault, Fault::TimedOut);
  EXPECT_THAT(stream.error().detail, HasSubstr("127.0.0.1:" + std::to_string(port)));
}

TEST_F(ConnectTest, DoesNotBeginWithoutTime) {
  resolver_.known["relay.test"] = {loopback(listening_port())};
  const auto stream = loop_.run(connect(resolver_, timer_, "relay.test", 25, timer_.now()));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().fault, Fault::TimedOut);
}

class SystemResolverTest : public testing::Test {
 protected:
  auto resolve(const std::string& host) {
    return loop_.run(resolver_.resolve(host, 587, timer_.now() + 10s));
  }

  fakes::EventLoop loop_;
  fakes::FakeTimer timer_;
  SystemResolver resolver_{loop_.executor(), timer_};
};

TEST_F(SystemResolverTest, TakesAnAddressAsItIs) {
  const auto v4 = resolve("192.0.2.7");
  ASSERT_TRUE(v4);
  EXPECT_THAT(*v4, testing::ElementsAre(tcp::endpoint(asio::ip::make_address("192.0.2.7"), 587)));
  const auto v6 = resolve("2001:db8::7");
  ASSERT_TRUE(v6);
  EXPECT_THAT(*v6, testing::ElementsAre(tcp::endpoint(asio::ip::make_address("2001:db8::7"), 587)));
}

TEST_F(SystemResolverTest, KnowsTheHostsFile) {
  const auto found = resolve("localhost");
  ASSERT_TRUE(found) << found.error().detail;
  EXPECT_TRUE(found->front().address().is_loopback());
  EXPECT_EQ(found->front().port(), 587);
}

TEST_F(SystemResolverTest, NamesTheNameThatItDidNotFind) {
  // No name at all for the resolver, so nobody is asked.
  const auto found = resolve("a..b");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().fault, Fault::NameNotFound);
  EXPECT_THAT(found.error().detail, HasSubstr("a..b: "));
}

TEST_F(SystemResolverTest, StopsWaitingAtItsDeadline) {
  const auto found = loop_.run(resolver_.resolve("localhost", 587, timer_.now()));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().fault, Fault::TimedOut);
}

TEST_F(SystemResolverTest, AsksForANameWithADotBeforeTheSearchList) {
  EXPECT_STREQ(std::getenv("RES_OPTIONS"), "ndots:1");
}

}  // namespace
}  // namespace mailid::net
