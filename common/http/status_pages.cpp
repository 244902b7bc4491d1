#include "common/http/status_pages.hpp"

namespace mailid::http {
namespace {

asio::awaitable<Unready> ask(std::shared_ptr<std::function<Unready()>> check) {
  co_return (*check)();
}

struct Pages {
  ReadyCheck ready;
  MetricsPage metrics;
};

asio::awaitable<Response> respond(std::shared_ptr<Pages> pages, Request request) {
  if (request.method != "GET" && request.method != "HEAD") co_return text_response(405, "only GET");
  if (request.path == "/healthz") co_return text_response(200, "ok");
  if (request.path == "/readyz") {
    const auto unready = co_await pages->ready();
    co_return unready ? text_response(503, *unready) : text_response(200, "ok");
  }
  if (request.path == "/metrics") {
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = pages->metrics();
    co_return response;
  }
  co_return text_response(404, "not found");
}

}  // namespace

ReadyCheck ready_check(std::function<Unready()> check) {
  auto shared = std::make_shared<std::function<Unready()>>(std::move(check));
  return [shared] { return ask(shared); };
}

Handler status_pages(ReadyCheck ready, MetricsPage metrics) {
  auto pages = std::make_shared<Pages>(Pages{std::move(ready), std::move(metrics)});
  return [pages](Request request) { return respond(pages, std::move(request)); };
}

}  // namespace mailid::http
