#include "operator/app/webhook.hpp"

#include <array>
#include <gmock/gmock.h>

#include "common/base/encoding.hpp"
#include "common/net/connect.hpp"
#include "operator/app/webhook_process.hpp"
#include "tests/fakes/fake_kube_objects.hpp"

namespace mailid::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kConfiguration =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/mail-identity-operator";

std::vector<std::string_view> arguments() {
  return {"--sidecar-image=registry.example.test/mail-sidecar:1", "--service=webhook", "--namespace=mail",
          "--ca-secret=webhook-ca", "--webhook-configuration=mail-identity-operator"};
}

TEST(WebhookOptions, AreWhatTheChartGives) {
  const auto options = webhook_options(arguments());
  ASSERT_TRUE(options) << options.error();
  EXPECT_EQ(options->names.dns_name, "webhook.mail.svc");
  EXPECT_EQ(options->names.authority.secret_namespace, "mail");
  EXPECT_EQ(options->names.authority.name, "webhook-ca");
  EXPECT_EQ(options->port, 9443);
  EXPECT_EQ(options->health_port, 8080);
  EXPECT_EQ(options->sidecar.pull_policy, "IfNotPresent");
}

TEST(WebhookOptions, RefuseAPullPolicyThatKubernetesDoesNotKnow) {
  auto wrong = arguments();
  wrong.emplace_back("--sidecar-pull-policy=Sometimes");
  EXPECT_FALSE(webhook_options(wrong));
}

TEST(WebhookOptions, TakeTheSidecarsResourcesAsJson) {
  EXPECT_EQ(webhook_options(arguments())->sidecar.resources, admission::SidecarResources{});
  auto given = arguments();
  given.emplace_back(R"(--sidecar-resources={"requests":{"cpu":"10m"},"limits":{"cpu":1}})");
  const auto options = webhook_options(given);
  ASSERT_TRUE(options) << options.error();
  EXPECT_EQ(options->sidecar.resources, (admission::SidecarResources{{{"cpu", "10m"}}, {{"cpu", "1"}}}));
}

TEST(WebhookOptions, NameWhatIsWrongWithTheSidecarsResources) {
  const auto wrong = [](std::string_view flag) {
    auto given = arguments();
    given.push_back(flag);
    const auto options = webhook_options(given);
    return options ? std::string() : options.error();
  };
  EXPECT_THAT(wrong("--sidecar-resources=[]"), HasSubstr("JSON object"));
  EXPECT_THAT(wrong(R"(--sidecar-resources={"limit":{}})"), HasSubstr("limit is not known"));
  EXPECT_THAT(wrong(R"(--sidecar-resources={"limits":{"cpu":true}})"), HasSubstr("limits.cpu must be"));
  EXPECT_THAT(wrong(R"(--sidecar-resources={"limits":"1"})"), HasSubstr("limits must be an object"));
}

/// The process with an API server that is a map, and its clients, on one thread.
class WebhookProcessTest : public testing::Test {
 protected:
  WebhookProcessTest() {
    kube_.objects[kConfiguration] = nlohmann::json::parse(
        R"({"metadata": {"resourceVersion": "1"}, "webhooks": [{"clientConfig": {"service": {"name": "webhook"}}}]})");
  }

  void start() {
    auto options = *webhook_options(arguments());
    options.port = 0;
    options.health_port = 0;
    process_ = std::make_unique<WebhookProcess>(io_.get_executor(), std::move(options), kube_, metrics_,
                                                clock_, log_);
    const auto ports = process_->start();
    ASSERT_TRUE(ports) << ports.error();
    ports_ = *ports;
  }

  template <class T>
  T run(asio::awaitable<T> coroutine) {
    std::optional<T> result;
    auto keep = [&result](const std::exception_ptr&, T value) { result.emplace(std::move(value)); };
    asio::co_spawn(io_, std::move(coroutine), std::move(keep));
    io_.restart();
    while (!result && io_.run_one() > 0) continue;
    return std::move(*result);
  }

  /// Sends one request and gives all that comes back until the connection ends.
  asio::awaitable<std::string> ask(std::uint16_t port, net::TlsClientContext* tls, std::string request) {
    const auto deadline = timer_.now() + 5s;
    auto stream = co_await net::connect(resolver_, timer_, "127.0.0.1", port, deadline);
    if (tls != nullptr) {
      const auto shaken = co_await stream->start_tls(*tls, "webhook.mail.svc", deadline);
      if (!shaken) co_return shaken.error().detail;
    }
    const auto written = co_await stream->write_all(request, deadline);
    if (!written) co_return written.error().detail;
    std::string answer;
    std::array<char, 4096> buffer{};
    for (;;) {
      const auto count = co_await stream->read_some(buffer, deadline);
      if (!count) break;
      answer.append(buffer.data(), *count);
    }
    co_return answer;
  }

  std::string get(const std::string& path) {
    return run(ask(ports_.health, nullptr, "GET " + path + " HTTP/1.1\r\nConnection: close\r\n\r\n"));
  }

  std::string bundle() {
    const auto text = kube_.objects[kConfiguration]["webhooks"][0]["clientConfig"].value("caBundle", "");
    return base::base64_decode(text).value_or("");
  }

  asio::io_context io_{1};
  base::SystemClock clock_;
  base::Log log_{clock_, base::LogLevel::Error, [](std::string_view) {}};
  net::SystemTimer timer_{io_.get_executor()};
  net::SystemResolver resolver_{io_.get_executor(), timer_};
  fakes::FakeKubeObjects kube_;
  base::Metrics metrics_;
  std::unique_ptr<WebhookProcess> process_;
  WebhookProcess::Ports ports_;
};

TEST_F(WebhookProcessTest, IsReadyOnceTheApiServerCanBelieveIt) {
  start();
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200"));
}

TEST_F(WebhookProcessTest, IsHealthyButUnreadyWhileTheApiServerIsAway) {
  kube_.failure = fakes::FakeKubeObjects::status(0, "Unreachable");
  start();
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503"));
}

TEST_F(WebhookProcessTest, AnswersAReviewOverTlsUnderTheBundleInTheApi) {
  start();
  get("/readyz");
  const std::string body =
      R"({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u-1"}})";
  const auto request =
      "POST /mutate HTTP/1.1\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  net::TlsClientContext tls({.system_path = {}, .extra_pem = bundle()});
  EXPECT_THAT(run(ask(ports_.webhook, &tls, request)), HasSubstr(R"("uid":"u-1")"));
  EXPECT_THAT(get("/metrics"),
              HasSubstr(R"(controller_runtime_webhook_requests_total{webhook="/mutate",code="200"} 1)"));
}

}  // namespace
}  // namespace mailid::app
