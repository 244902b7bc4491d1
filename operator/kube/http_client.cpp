#include "operator/kube/http_client.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include "operator/kube/object_reader.hpp"

namespace mailid::kube {
namespace {

using boost::asio::awaitable;

constexpr std::string_view kRequests = "rest_client_requests_total";
// Retries of many clients that were turned away together should not come back together.
constexpr std::uint64_t kJitterMs = 1'000;

struct Word {
  int code;
  std::string_view reason;
};

/// metav1.StatusReason for answers that are no Status: from a proxy, or from a server that is not ready. What they say
/// with 404 is nothing about an object, so it is no NotFound.
constexpr Word kReasons[] = {{400, "BadRequest"},
                             {401, "Unauthorized"},
                             {403, "Forbidden"},
                             {405, "MethodNotAllowed"},
                             {406, "NotAcceptable"},
                             {409, "Conflict"},
                             {410, "Gone"},
                             {413, "RequestEntityTooLarge"},
                             {415, "UnsupportedMediaType"},
                             {422, "Invalid"},
                             {429, "TooManyRequests"},
                             {500, "InternalError"},
                             {503, "ServiceUnavailable"},
                             {504, "Timeout"}};

std::string reason_of(int code) {
  const auto row = std::find_if(std::begin(kReasons), std::end(kReasons),
                                [code](const Word& word) { return word.code == code; });
  return std::string(row == std::end(kReasons) ? "Unknown" : row->reason);
}

/// Seconds of a Retry-After. The form with a date is no API server's.
std::optional<std::chrono::seconds> seconds_of(std::string_view text) {
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

Status status_of(const TransportError& error) {
  using Kind = TransportError::Kind;
  const auto* reason = error.kind == Kind::TooLarge   ? "TooLarge"
                       : error.kind == Kind::TimedOut ? "TimedOut"
                                                      : "Unreachable";
  return {0, reason, error.detail, {}};
}

Status status_of(const Response& response) {
  auto status = read_status(response.body).value_or(Status{});
  // The status line is what happened, whatever the body claims.
  status.code = response.status;
  if (status.reason.empty()) status.reason = reason_of(response.status);
  if (status.message.empty()) status.message = fmt::format("the API server answered {}", response.status);
  if (const auto seconds = seconds_of(response.retry_after)) status.retry_after = seconds;
  return status;
}

Result<std::string> outcome(TransportResult<Response> sent) {
  if (!sent) return base::Unexpected{status_of(sent.error())};
  if (sent->status < 200 || sent->status > 299) return base::Unexpected{status_of(*sent)};
  return std::move(sent->body);
}

bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || is_one_of(c, "-._~");
}

/// Whether a target names what it seems to name: `..`, an empty segment or an encoded slash would make another
/// resource of a name that came from somewhere else.
bool is_plain(std::string_view target) {
  if (!target.starts_with('/')) return false;
  const auto path = target.substr(0, target.find('?'));
  const bool known = std::all_of(target.begin(), target.end(),
                                 [](char c) { return is_unreserved(c) || is_one_of(c, "/?&=%:@!$'()*+,;"); });
  if (!known || path.ends_with('/')) return false;
  for (const auto* wrong : {"//", "/./", "/../", "%2f", "%2F", "%2e", "%2E", "%5c", "%5C"}) {
    if (path.find(wrong) != std::string_view::npos) return false;
  }
  return !path.ends_with("/.") && !path.ends_with("/..");
}

/// The token of a file without the newline that an editor leaves.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

bool fits_header(std::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7F'; });
}

}  // namespace

HttpClient::HttpClient(Transport& transport, Material token, std::string host, net::Timer& timer,
                       base::Random& random, base::Metrics& metrics, HttpClientLimits limits)
    : transport_(&transport),
      token_(std::move(token)),
      host_(std::move(host)),
      timer_(&timer),
      random_(&random),
      metrics_(&metrics),
      limits_(limits) {
  metrics_->describe_counter(kRequests, "Requests to the API server, by status code, method and host.");
}

awaitable<Result<std::string>> HttpClient::get(std::string path) {
  Call call{"GET", std::move(path), "", ""};
  co_return co_await run(std::move(call));
}

awaitable<Result<std::string>> HttpClient::create(std::string collection, std::string object) {
  Call call{"POST", std::move(collection), "application/json", std::move(object)};
  co_return co_await run(std::move(call));
}

awaitable<Result<std::string>> HttpClient::apply(std::string path, std::string object,
                                                 std::string field_manager) {
  auto target = fmt::format("{}?fieldManager={}&force=true", path, percent_encode(field_manager));
  // The media type says YAML, of which JSON is a part; there is none for JSON before Kubernetes 1.34.
  Call call{"PATCH", std::move(target), "application/apply-patch+yaml", std::move(object)};
  co_return co_await run(std::move(call));
}

awaitable<Result<std::string>> HttpClient::json_patch(std::string path, std::string operations) {
  Call call{"PATCH", std::move(path), "application/json-patch+json", std::move(operations)};
  co_return co_await run(std::move(call));
}

awaitable<Result<std::unique_ptr<ResponseStream>>> HttpClient::watch(std::string path) {
  const Call call{"GET", std::move(path), "", ""};
  auto made = request(call);
  if (!made) co_return base::Unexpected{std::move(made.error())};
  made->timeout = limits_.watch_silence;

  auto opened = co_await transport_->open(std::move(*made));
  count("WATCH", opened ? opened->head.status : 0);
  if (!opened) co_return base::Unexpected{status_of(opened.error())};
  if (!opened->stream) co_return base::Unexpected{status_of(opened->head)};
  co_return std::move(opened->stream);
}

awaitable<Result<std::string>> HttpClient::run(Call call) {
  for (int tries = 1;; ++tries) {
    auto made = request(call);
    if (!made) co_return base::Unexpected{std::move(made.error())};
    auto sent = co_await transport_->send(std::move(*made));
    count(call.method, sent ? sent->status : 0);

    auto result = outcome(std::move(sent));
    if (result || tries >= limits_.tries || !asks_for_another_try(result.error())) co_return result;
    const base::Duration jitter(base::random_below(*random_, kJitterMs));
    co_await timer_->wait_for(*result.error().retry_after + jitter);
  }
}

bool HttpClient::asks_for_another_try(const Status& status) const {
  if (status.code != 429 && status.code < 500) return false;
  return status.retry_after && *status.retry_after <= limits_.longest_wait;
}

Result<Request> HttpClient::request(const Call& call) const {
  const auto refuse = [](std::string reason, std::string message) {
    return base::Unexpected{Status{0, std::move(reason), std::move(message), {}}};
  };
  if (!is_plain(call.target)) return refuse("InvalidPath", "not a path of one resource: " + call.target);

  base::Secret bearer;
  if (!token_.empty()) {
    const auto token = token_.read();
    if (!token) return refuse("NoToken", "token for the API server: " + token.error());
    bearer = base::Secret(trimmed(token->reveal()));
    if (bearer.empty() || !fits_header(bearer.reveal())) {
      return refuse("NoToken", "token for the API server: " + token_.path() + " holds no token");
    }
  }
  return Request{call.method,       call.target,     call.content_type, call.body,
                 std::move(bearer), limits_.timeout, limits_.body_bytes};
}

void HttpClient::count(const std::string& method, int status) {
  const auto code = status == 0 ? std::string("<error>") : std::to_string(status);
  metrics_->add(kRequests, {{"code", code}, {"method", method}, {"host", host_}});
}

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    encoded += is_unreserved(c) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

}  // namespace mailid::kube
