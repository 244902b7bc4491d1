#include "operator/kube/http_client.hpp"

#include <fstream>

#include "tests/unit/operator/kube/kube_fixture.hpp"

namespace mailid::kube {
namespace {

using namespace std::chrono_literals;
using Kind = TransportError::Kind;
using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kPath = "/api/v1/namespaces/shop/secrets/x";

class HttpClientTest : public KubeTest {
 protected:
  Result<std::string> get() { return run(client_.get(kPath)); }
  double counted(std::string_view code, std::string_view method = "GET") {
    return metrics_.value("rest_client_requests_total",
                          {{"code", code}, {"method", method}, {"host", "api.test:6443"}});
  }
};

TEST_F(HttpClientTest, GivesTheBody) {
  transport_.answer(200, "{}");
  EXPECT_EQ(*get(), "{}");
  EXPECT_EQ(transport_.sent[0].method, "GET");
  EXPECT_EQ(transport_.sent[0].target, kPath);
  EXPECT_EQ(counted("200"), 1);
}

TEST_F(HttpClientTest, SendsTheToken) {
  transport_.answer(200, "{}");
  EXPECT_TRUE(get());
  EXPECT_EQ(transport_.sent[0].bearer, "the-token");
}

TEST_F(HttpClientTest, ReadsTheTokenAgainForEachRequest) {
  const auto path = testing::TempDir() + "mailid-kube-token";
  const auto write = [&path](const char* text) { std::ofstream(path) << text; };
  HttpClient client(transport_, Material::from_file(path), "api.test", timer_, random_, metrics_);
  write("first\n");
  transport_.answer(200, "{}");
  EXPECT_TRUE(run(client.get(kPath)));
  write("second");
  transport_.answer(200, "{}");
  EXPECT_TRUE(run(client.get(kPath)));
  EXPECT_EQ(transport_.sent[0].bearer, "first");
  EXPECT_EQ(transport_.sent[1].bearer, "second");
}

TEST_F(HttpClientTest, SendsNothingWithoutTheTokenThatItShouldHave) {
  HttpClient client(transport_, Material::from_file("/nonexistent/token"), "api.test", timer_, random_,
                    metrics_);
  const auto result = run(client.get(kPath));
  EXPECT_EQ(result.error().reason, "NoToken");
  EXPECT_THAT(result.error().message, HasSubstr("/nonexistent/token"));
  EXPECT_THAT(transport_.sent, SizeIs(0));
}

TEST_F(HttpClientTest, SendsNoTokenThatWouldMakeAHeaderOfItsOwn) {
  HttpClient client(transport_, Material::from_text(base::Secret("a\r\nX-Other: b")), "api.test", timer_,
                    random_, metrics_);
  const auto result = run(client.get(kPath));
  EXPECT_EQ(result.error().reason, "NoToken");
  EXPECT_THAT(transport_.sent, SizeIs(0));
}

TEST_F(HttpClientTest, AppliesWithTheManagersNameAndForce) {
  transport_.answer(200, "{}");
  EXPECT_TRUE(run(client_.apply(kPath, "{\"a\":1}", "mail identity")));
  EXPECT_EQ(transport_.sent[0].method, "PATCH");
  EXPECT_EQ(transport_.sent[0].target, std::string(kPath) + "?fieldManager=mail%20identity&force=true");
  EXPECT_EQ(transport_.sent[0].content_type, "application/apply-patch+yaml");
  EXPECT_EQ(transport_.sent[0].body, "{\"a\":1}");
}

TEST_F(HttpClientTest, PatchesAndCreatesInTheirMediaTypes) {
  transport_.answer(200, "{}");
  transport_.answer(201, "{}");
  EXPECT_TRUE(run(client_.json_patch(kPath, "[]")));
  EXPECT_TRUE(run(client_.create("/api/v1/namespaces/shop/secrets", "{}")));
  EXPECT_EQ(transport_.sent[0].content_type, "application/json-patch+json");
  EXPECT_EQ(transport_.sent[1].method, "POST");
  EXPECT_EQ(transport_.sent[1].content_type, "application/json");
}

TEST_F(HttpClientTest, GivesTheServersStatus) {
  transport_.answer(
      409, R"({"kind":"Status","code":409,"reason":"AlreadyExists","message":"secrets \"x\" is there"})");
  const auto result = get();
  EXPECT_TRUE(result.error().already_exists());
  EXPECT_FALSE(result.error().conflict());
  EXPECT_EQ(result.error().message, "secrets \"x\" is there");
}

TEST_F(HttpClientTest, MakesAStatusOfAnAnswerThatIsNone) {
  transport_.answer(403, "<html>");
  const auto result = get();
  EXPECT_TRUE(result.error().forbidden());
  EXPECT_EQ(result.error().reason, "Forbidden");
  EXPECT_EQ(result.error().message, "the API server answered 403");
}

TEST_F(HttpClientTest, BelievesOnlyTheApiServerThatAnObjectIsNotThere) {
  transport_.answer(404, "404 page not found\n");
  const auto from_elsewhere = get();
  EXPECT_EQ(from_elsewhere.error().code, 404);
  EXPECT_FALSE(from_elsewhere.error().not_found());
  transport_.answer(404, R"({"kind":"Status","code":404,"reason":"NotFound","message":"not found"})");
  EXPECT_TRUE(get().error().not_found());
}

TEST_F(HttpClientTest, NeverTakesARedirectForAnAnswer) {
  transport_.answer(302, "{}");
  EXPECT_EQ(get().error().code, 302);
  EXPECT_THAT(transport_.sent, SizeIs(1));
}

TEST_F(HttpClientTest, SaysWhatBroke) {
  transport_.fail(Kind::Broken);
  EXPECT_EQ(get().error().reason, "Unreachable");
  transport_.fail(Kind::TimedOut);
  EXPECT_EQ(get().error().reason, "TimedOut");
  transport_.fail(Kind::TooLarge);
  EXPECT_EQ(get().error().reason, "TooLarge");
  EXPECT_EQ(counted("<error>"), 3);
}

TEST_F(HttpClientTest, TriesAgainWhenTheServerAsksFor) {
  for (const int status : {429, 503}) {
    transport_.answer(status, "", "2");
    transport_.answer(200, "{}");
    const auto before = timer_.now();
    EXPECT_TRUE(get()) << status;
    EXPECT_GE(timer_.now() - before, 2s);
  }
  EXPECT_EQ(counted("429"), 1);
  EXPECT_EQ(counted("200"), 2);
}

TEST_F(HttpClientTest, GivesUpAfterAFewTries) {
  for (int i = 0; i < 10; ++i) transport_.answer(429, "", "1");
  EXPECT_EQ(get().error().code, 429);
  EXPECT_THAT(transport_.sent, SizeIs(4));
}

TEST_F(HttpClientTest, LeavesALongWaitToTheCaller) {
  transport_.answer(503, "", "120");
  const auto result = get();
  EXPECT_EQ(result.error().retry_after, 120s);
  EXPECT_THAT(transport_.sent, SizeIs(1));
}

TEST_F(HttpClientTest, DoesNotTryAgainUnasked) {
  transport_.answer(500, "");
  EXPECT_EQ(get().error().code, 500);
  EXPECT_THAT(transport_.sent, SizeIs(1));
}

TEST_F(HttpClientTest, RefusesAPathThatANameHasBent) {
  for (const char* path : {"", "api", "/api/v1/secrets/..", "/api/v1/secrets/../pods/x", "/api/v1//x",
                           "/api/v1/secrets/", "/a/./b", "/api/v1/secrets/a%2fb", "/api/v1/secrets/%2E%2e",
                           "/api/v1/secrets/a b", "/a/x\r\nHost: y", "/a/x#y", "/a\\..\\b"}) {
    const auto result = run(client_.get(path));
    EXPECT_EQ(result.error().reason, "InvalidPath") << path;
  }
  EXPECT_THAT(transport_.sent, SizeIs(0));
}

TEST(PercentEncode, LeavesOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encode("aZ0-._~"), "aZ0-._~");
  EXPECT_EQ(percent_encode("a/b=c d&\xC3\xA9"), "a%2Fb%3Dc%20d%26%C3%A9");
}

}  // namespace
}  // namespace mailid::kube
