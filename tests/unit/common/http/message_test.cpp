#include "common/http/message.hpp"

#include <gmock/gmock.h>

namespace mailid::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Format, WritesStatusLengthAndBody) {
  const auto bytes = format(text_response(503, "no certificate"), Persistence::KeepAlive, "GET");
  EXPECT_THAT(bytes, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(bytes, HasSubstr("Content-Length: 15\r\n"));
  EXPECT_THAT(bytes, HasSubstr("Connection: keep-alive\r\n"));
  EXPECT_THAT(bytes, EndsWith("\r\n\r\nno certificate\n"));
}

TEST(Format, LeavesTheBodyOutForHead) {
  const auto bytes = format(text_response(200, "ok"), Persistence::Close, "HEAD");
  EXPECT_THAT(bytes, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_THAT(bytes, EndsWith("Connection: close\r\n\r\n"));
}

TEST(Request, FindsAHeaderInAnyCase) {
  Request request;
  request.headers = {{"Content-Type", "application/json"}};
  EXPECT_EQ(request.header("CONTENT-TYPE"), "application/json");
  EXPECT_EQ(request.header("Accept"), "");
}

}  // namespace
}  // namespace mailid::http
