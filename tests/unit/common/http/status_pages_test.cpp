#include "common/http/status_pages.hpp"

#include <gmock/gmock.h>

namespace mailid::http {
namespace {

class StatusPages : public testing::Test {
 protected:
  Response get(const std::string& path, const std::string& method = "GET") {
    const auto pages =
        status_pages(ready_check([this] { return unready_; }), [] { return std::string("up 1\n"); });
    Request request;
    request.method = method;
    request.path = path;
    asio::io_context io(1);
    Response response;
    auto keep = [&response](const std::exception_ptr&, Response answer) { response = std::move(answer); };
    asio::co_spawn(io, pages(std::move(request)), std::move(keep));
    io.run();
    return response;
  }

  Unready unready_;
};

TEST_F(StatusPages, AreHealthyWhileTheProcessAnswers) {
  unready_ = "no certificate yet";
  EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(StatusPages, SayWhyTheProcessIsNotReady) {
  unready_ = "no certificate yet";
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_EQ(get("/readyz").body, "no certificate yet\n");
}

TEST_F(StatusPages, AreReadyWhereNothingIsMissing) {
  EXPECT_EQ(get("/readyz").status, 200);
}

TEST_F(StatusPages, ShowMetricsAsPrometheusText) {
  EXPECT_EQ(get("/metrics").body, "up 1\n");
  EXPECT_EQ(get("/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
}

TEST_F(StatusPages, HaveNothingElse) {
  EXPECT_EQ(get("/debug").status, 404);
  EXPECT_EQ(get("/metrics", "POST").status, 405);
}

}  // namespace
}  // namespace mailid::http
