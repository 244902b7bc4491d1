#include <sys/socket.h>

#include "tests/unit/common/net/stream_fixture.hpp"

namespace mailid::net {
namespace {

using namespace std::chrono_literals;

using ClearStreamTest = StreamTest;

TEST_F(ClearStreamTest, CarriesBytesBothWays) {
  ASSERT_TRUE(write(client_, "EHLO"));
  EXPECT_EQ(read(server_), "EHLO");
  ASSERT_TRUE(write(server_, "250"));
  EXPECT_EQ(read(client_), "250");
}

TEST_F(ClearStreamTest, WaitsForBytesThatComeLater) {
  std::array<char, 16> buffer{};
  const auto reading = loop_.begin(client_.read_some(buffer, soon()));
  EXPECT_FALSE(reading->has_value());
  ASSERT_TRUE(write(server_, "220 hello"));
  ASSERT_TRUE(loop_.wait_for(reading));
  EXPECT_EQ((*reading)->value(), 9U);
  EXPECT_EQ(timer_.waiting(), 0U);
}

TEST_F(ClearStreamTest, CanBeReadAgainAfterAReadThatWasTooLate) {
  std::array<char, 16> buffer{};
  const auto reading = loop_.begin(client_.read_some(buffer, soon()));
  timer_.advance(10s);
  ASSERT_FALSE(loop_.wait_for(reading));
  EXPECT_EQ((*reading)->error().fault, Fault::TimedOut);
  ASSERT_TRUE(write(server_, "220"));
  EXPECT_EQ(read(client_), "220");
}

TEST_F(ClearStreamTest, ReadsWhatIsThereWhateverTheTime) {
  ASSERT_TRUE(write(server_, "220"));
  loop_.poll();
  std::array<char, 16> buffer{};
  const auto count = loop_.run(client_.read_some(buffer, timer_.now() - 1s));
  EXPECT_TRUE(count);
}

TEST_F(ClearStreamTest, SaysThatThePeerHasGone) {
  server_.close();
  std::array<char, 16> buffer{};
  const auto count = loop_.run(client_.read_some(buffer, soon()));
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().fault, Fault::Closed);
}

TEST_F(ClearStreamTest, WritesMoreThanTheSystemBuffers) {
  const std::string large(8'000'000, 'x');
  const auto writing = loop_.begin(client_.write_all(large, soon()));
  EXPECT_FALSE(writing->has_value());
  EXPECT_EQ(read_exactly(server_, large.size()), large);
  EXPECT_TRUE(loop_.wait_for(writing));
}

TEST_F(ClearStreamTest, GivesUpOnAPeerThatTakesNothing) {
  const std::string large(8'000'000, 'x');
  const auto writing = loop_.begin(client_.write_all(large, soon()));
  timer_.advance(10s);
  ASSERT_FALSE(loop_.wait_for(writing));
  EXPECT_EQ((*writing)->error().fault, Fault::TimedOut);
}

TEST_F(ClearStreamTest, KeepsWritingWhileItsReadIsTooLate) {
  const std::string large(8'000'000, 'x');
  std::array<char, 16> buffer{};
  const auto writing = loop_.begin(client_.write_all(large, timer_.now() + 60s));
  const auto reading = loop_.begin(client_.read_some(buffer, soon()));
  timer_.advance(10s);
  ASSERT_FALSE(loop_.wait_for(reading));
  EXPECT_EQ(read_exactly(server_, large.size()), large);
  EXPECT_TRUE(loop_.wait_for(writing));
}

TEST_F(ClearStreamTest, SurvivesWritingToAPeerThatHasGone) {
  server_.close();
  // The first write makes the peer answer with a reset, the second would raise SIGPIPE.
  for (int i = 0; i < 3; ++i) write(client_, "NOOP\r\n");
  EXPECT_FALSE(write(client_, "NOOP\r\n"));
}

TEST_F(ClearStreamTest, EndsWhoeverWaitsWhenItIsClosed) {
  std::array<char, 16> buffer{};
  const auto reading = loop_.begin(client_.read_some(buffer, soon()));
  client_.close();
  ASSERT_FALSE(loop_.wait_for(reading));
  EXPECT_EQ((*reading)->error().fault, Fault::Closed);
  EXPECT_FALSE(client_.open());
}

TEST_F(ClearStreamTest, FailsOnceItIsClosed) {
  client_.close();
  EXPECT_FALSE(write(client_, "EHLO"));
  EXPECT_EQ(read(client_), "failed: the connection was closed here");
  EXPECT_FALSE(client_.quiet());
}

TEST_F(ClearStreamTest, IsQuietUntilSomethingComes) {
  EXPECT_TRUE(client_.quiet());
  ASSERT_TRUE(write(server_, "421 bye\r\n"));
  loop_.run_until([this] { return !client_.quiet(); });
  EXPECT_EQ(read(client_), "421 bye\r\n");
  EXPECT_TRUE(client_.quiet());
}

TEST_F(ClearStreamTest, IsNotQuietOnceThePeerHasGone) {
  server_.close();
  loop_.run_until([this] { return !client_.quiet(); });
}

TEST_F(ClearStreamTest, SaysALastWordWithoutWaiting) {
  client_.write_now("QUIT\r\n");
  client_.close();
  EXPECT_EQ(read(server_), "QUIT\r\n");
}

}  // namespace
}  // namespace mailid::net
