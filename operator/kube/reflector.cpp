#include "operator/kube/reflector.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace mailid::kube {
namespace {

using boost::asio::awaitable;

// The server ends a watch after this long; spread, so that the watches of many clients don't end together.
constexpr unsigned kWatchSeconds = 240;
constexpr unsigned kWatchSpread = 240;
// A watch that ends this soon and was silent is a server that turns us away politely.
constexpr base::Duration kVeryShort{1'000};
// Then it may be our resourceVersion that is the trouble, for example after the server's data came from a backup.
constexpr int kFailuresBeforeList = 5;
// A Retry-After is obeyed up to here: one wrong word of a proxy must not stop us for years.
constexpr base::Duration kLongestWait{300'000};

/// Whether another watch from the same resourceVersion may work.
bool may_pass(const Status& status) {
  return status.code == 0 || status.code == 429 || status.code >= 500;
}

Status broken(std::string message) {
  return {0, "Broken", std::move(message), {}};
}

}  // namespace

Reflector::Reflector(const boost::asio::any_io_executor& executor, HttpClient& client, net::Timer& timer,
                     base::Random& random, const base::Log& log, WatchHandler& handler,
                     ReflectorOptions options)
    : client_(&client),
      timer_(&timer),
      random_(&random),
      log_(&log),
      handler_(&handler),
      options_(std::move(options)),
      stop_(executor),
      back_off_(random, BackOff::Limits{}) {}

awaitable<void> Reflector::run() {
  while (!stopping_) {
    if (!co_await list()) continue;
    auto next = Next::Watch;
    while (!stopping_ && next == Next::Watch) next = co_await watch();
  }
}

void Reflector::stop() {
  stopping_ = true;
  stop_.wake();
  if (stream_) stream_->cancel();
}

awaitable<bool> Reflector::list() {
  const auto tell = [this](WatchEvent event) { report(std::move(event)); };
  known_.begin_list();
  page_ = options_.page;
  std::string continue_token;
  do {
    auto answer = co_await get_page(continue_token);
    if (stopping_) co_return false;
    if (!answer) {
      auto status = std::move(answer.error());
      co_await wait_after("list", std::move(status));
      co_return false;
    }
    const auto page = read_list_page(
        *answer, [this, &tell](ListedObject object) { known_.present(std::move(object), tell); });
    if (!page) {
      auto status = broken(page.error());
      co_await wait_after("list", std::move(status));
      co_return false;
    }
    continue_token = page->continue_token;
    resource_version_ = page->resource_version;
  } while (!continue_token.empty() && !stopping_);
  if (stopping_) co_return false;

  known_.end_list(tell);
  failures_ = 0;
  synced_ = true;
  log_->info("listed", {{"collection", options_.collection}, {"objects", known_.size()}});
  handler_->on_synced();
  co_return true;
}

/// The next page, smaller where it would be too large: big objects of one namespace must not hide everybody else's.
awaitable<Result<std::string>> Reflector::get_page(std::string continue_token) {
  for (;; page_ /= 2) {
    auto page_target = target(fmt::format(
        "limit={}{}{}", page_, continue_token.empty() ? "" : "&continue=", percent_encode(continue_token)));
    auto answer = co_await client_->get(std::move(page_target));
    const bool again = !answer && answer.error().too_large() && page_ > 1 && !stopping_;
    if (!again) co_return answer;
  }
}

awaitable<Reflector::Next> Reflector::watch() {
  auto failure = co_await follow();
  stream_.reset();
  if (stopping_ || !failure) co_return Next::Watch;

  ++failures_;
  const bool again = may_pass(*failure) && !failure->gone() && failures_ < kFailuresBeforeList;
  auto status = std::move(*failure);
  co_await wait_after("watch", std::move(status));
  co_return again ? Next::Watch : Next::List;
}

awaitable<std::optional<Status>> Reflector::follow() {
  const auto seconds = kWatchSeconds + base::random_below(*random_, kWatchSpread);
  auto watch_target =
      target(fmt::format("watch=1&allowWatchBookmarks=true&resourceVersion={}&timeoutSeconds={}",
                         percent_encode(resource_version_), seconds));
  auto opened = co_await client_->watch(std::move(watch_target));
  if (!opened) co_return std::move(opened.error());
  stream_ = std::move(*opened);

  WatchDecoder decoder;
  const auto begin = timer_->now();
  bool silent = true;
  while (!stopping_) {
    const auto bytes = co_await stream_->read_some();
    if (stopping_) break;
    // A server with nothing to tell sends no bookmarks either, so silence is no failure; but the connection may be dead.
    if (!bytes && bytes.error().kind == TransportError::Kind::TimedOut) break;
    if (!bytes) co_return broken(bytes.error().detail);
    if (bytes->empty()) {
      if (silent && timer_->now() - begin < kVeryShort)
        co_return broken("the watch ended as soon as it began");
      break;
    }
    silent = false;
    decoder.feed(*bytes);
    if (auto failure = take(decoder)) co_return failure;
    failures_ = 0;
  }
  co_return std::nullopt;
}

std::optional<Status> Reflector::take(WatchDecoder& decoder) {
  using Type = WatchLine::Type;
  const auto tell = [this](WatchEvent event) { report(std::move(event)); };
  for (;;) {
    auto next = decoder.next();
    if (!next) return broken(std::move(next.error()));
    auto& line = *next;
    if (!line || stopping_) return std::nullopt;
    if (line->type == Type::Error) return std::move(line->error);

    if (!line->object.resource_version.empty()) resource_version_ = line->object.resource_version;
    if (line->type == Type::Bookmark) continue;
    if (line->type == Type::Deleted) {
      known_.absent(std::move(line->object), tell);
    } else {
      known_.present(std::move(line->object), tell);
    }
  }
}

awaitable<void> Reflector::wait_after(std::string what, Status status) {
  base::Duration wait = back_off_.next(timer_->now());
  if (status.retry_after) wait = std::max(wait, std::min<base::Duration>(*status.retry_after, kLongestWait));
  log_->warning(what + " failed", {{"collection", options_.collection},
                                   {"code", status.code},
                                   {"reason", status.reason},
                                   {"detail", status.message},
                                   {"retry_ms", wait.count()}});
  co_await stop_.wait(*timer_, timer_->now() + wait);
}

void Reflector::report(WatchEvent event) {
  if (!stopping_) handler_->on_event(std::move(event));
}

std::string Reflector::target(const std::string& query) const {
  if (options_.label_selector.empty()) return options_.collection + '?' + query;
  return options_.collection + "?labelSelector=" + percent_encode(options_.label_selector) + '&' + query;
}

}  // namespace mailid::kube
