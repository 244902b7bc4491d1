#include "common/http/request_parser.hpp"

#include <gmock/gmock.h>

namespace mailid::http {
namespace {

using State = RequestParser::State;

constexpr std::string_view kPost =
    "POST /mutate?timeout=3s HTTP/1.1\r\nHost: webhook.test\r\nContent-Type: application/json\r\n"
    "Content-Length: 4\r\n\r\n{\"\"}";

RequestParser parser() {
  return RequestParser({.header_bytes = 1024, .body_bytes = 100});
}

int refused_with(std::string_view bytes) {
  auto parsed = parser();
  return parsed.feed(bytes) == State::Refused ? parsed.refusal().status : 0;
}

TEST(RequestParser, GivesMethodPathQueryHeadersAndBody) {
  auto parsed = parser();
  ASSERT_EQ(parsed.feed(kPost), State::Complete);
  const auto request = parsed.take();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/mutate");
  EXPECT_EQ(request.query, "timeout=3s");
  EXPECT_EQ(request.header("content-type"), "application/json");
  EXPECT_EQ(request.body, "{\"\"}");
}

TEST(RequestParser, DoesNotCareHowTheBytesAreCut) {
  auto parsed = parser();
  for (const char byte : kPost.substr(0, kPost.size() - 1))
    ASSERT_EQ(parsed.feed({&byte, 1}), State::NeedMore);
  ASSERT_EQ(parsed.feed("}"), State::Complete);
  EXPECT_EQ(parsed.take().body, "{\"\"}");
}

TEST(RequestParser, KeepsTheNextRequestThatCameAlong) {
  auto parsed = parser();
  ASSERT_EQ(parsed.feed("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c"), State::Complete);
  EXPECT_EQ(parsed.take().path, "/a");
  ASSERT_EQ(parsed.state(), State::Complete);
  EXPECT_EQ(parsed.take().path, "/b");
  EXPECT_EQ(parsed.state(), State::NeedMore);
}

TEST(RequestParser, IsIdleBetweenRequests) {
  auto parsed = parser();
  EXPECT_EQ(parsed.state(), State::Idle);
  ASSERT_EQ(parsed.feed("GET / HTTP/1.1\r\n\r\n"), State::Complete);
  parsed.take();
  EXPECT_EQ(parsed.state(), State::Idle);
}

TEST(RequestParser, ReadsAChunkedBody) {
  auto parsed = parser();
  const auto state =
      parsed.feed("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  ASSERT_EQ(state, State::Complete);
  EXPECT_EQ(parsed.take().body, "abcde");
}

TEST(RequestParser, TellsWhetherTheClientGoesOn) {
  auto parsed = parser();
  ASSERT_EQ(parsed.feed("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nConnection: close\r\n\r\n"),
            State::Complete);
  parsed.take();
  EXPECT_EQ(parsed.persistence(), Persistence::KeepAlive);
  parsed.take();
  EXPECT_EQ(parsed.persistence(), Persistence::Close);
}

TEST(RequestParser, AsksForTheBodyOfAClientThatWaits) {
  auto parsed = parser();
  ASSERT_EQ(parsed.feed("POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"),
            State::WantsContinue);
  EXPECT_EQ(parsed.continued(), State::NeedMore);
  EXPECT_EQ(parsed.feed("ok"), State::Complete);
}

TEST(RequestParser, RefusesABodyByItsAnnouncedLength) {
  EXPECT_EQ(refused_with("POST / HTTP/1.1\r\nContent-Length: 209715200\r\n\r\n"), 413);
}

TEST(RequestParser, RefusesAChunkedBodyThatGrowsOver) {
  EXPECT_EQ(refused_with("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n"), 413);
}

TEST(RequestParser, RefusesAHeaderWithoutEnd) {
  auto parsed = parser();
  auto state = parsed.feed("GET / HTTP/1.1\r\n");
  for (int line = 0; line < 100 && state == State::NeedMore; ++line)
    state = parsed.feed("X-Padding: 0123456789abcdef\r\n");
  ASSERT_EQ(state, State::Refused);
  EXPECT_EQ(parsed.refusal().status, 431);
}

TEST(RequestParser, RefusesALineWithoutEnd) {
  EXPECT_EQ(refused_with("GET /" + std::string(100'000, 'a')), 431);
}

TEST(RequestParser, RefusesAChunkHeaderWithoutEnd) {
  const std::string header = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_NE(refused_with(header + "1;" + std::string(100'000, 'a')), 0);
}

TEST(RequestParser, RefusesTwoWaysToTellWhereTheBodyEnds) {
  EXPECT_EQ(
      refused_with("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      400);
  EXPECT_EQ(refused_with("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), 400);
}

TEST(RequestParser, RefusesWhatIsNotHttp) {
  EXPECT_EQ(refused_with("EHLO client\r\n\r\n"), 400);
  EXPECT_EQ(refused_with(std::string_view("\x16\x03\x01\x00\xa5\x01\r\n\r\n", 10)), 400);
  EXPECT_EQ(refused_with("GET / HTTP/2.0\r\n\r\n"), 400);
}

}  // namespace
}  // namespace mailid::http
