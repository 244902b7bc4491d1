#include "operator/oauth/cpprest_post.hpp"

#include <algorithm>
#include <array>
#include <cpprest/http_client.h>
#include <cpprest/producerconsumerstream.h>
#include <cpprest/rawptrstream.h>
#include <cstring>
#include <fmt/format.h>
#include <functional>
#include <mutex>
#include <optional>
#include <pplx/threadpool.h>
#include <strings.h>
#include <system_error>

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>

#include "mailid_version.hpp"
#include "operator/oauth/allowed_hosts.hpp"
#include "operator/oauth/tls_guard.hpp"

namespace mailid::oauth {
namespace {

using catalogue::Reason;
using web::http::http_response;
using Outcome = catalogue::Result<PostAnswer>;
using Failed = base::Unexpected<catalogue::Failure>;

constexpr std::chrono::seconds kWhole = std::chrono::duration_cast<std::chrono::seconds>(kPostDeadline);
constexpr std::size_t kReadAtOnce = 16'384;

/// The library's only thread. With two or more its client has data races; whoever comes first decides for the
/// process, and the Kubernetes transport does the same.
boost::asio::io_context& library_thread() {
  static const bool decided = [] {
    try {
      crossplat::threadpool::initialize_with_threads(1);
    } catch (const std::exception&) {
      return false;  // it was decided before
    }
    return true;
  }();
  static_cast<void>(decided);
  return crossplat::threadpool::shared_instance().service();
}

/// Where the library puts the answer's body: at most kMaxAnswer bytes, wiped at the end.
///
/// The library's own buffers either have no end, or throw where it does not catch: a chunk of length -1 makes it
/// write 2^64 - 1 bytes. A buffer that fails makes it wait for itself on its only thread. So this one says that it
/// took what does not fit, and asks for the end of the exchange.
class AnswerBuffer final
    : public concurrency::streams::details::basic_producer_consumer_buffer<std::uint8_t> {
  using Base = concurrency::streams::details::basic_producer_consumer_buffer<std::uint8_t>;

 public:
  explicit AnswerBuffer(std::function<void()> too_much) : Base(1), too_much_(std::move(too_much)) {}
  AnswerBuffer(const AnswerBuffer&) = delete;
  AnswerBuffer& operator=(const AnswerBuffer&) = delete;
  ~AnswerBuffer() override { explicit_bzero(bytes_.data(), bytes_.size()); }

  std::string_view text() const { return {bytes_.data(), used_}; }
  bool overflowed() const { return overflowed_; }

 protected:
  using Base::_putn;
  pplx::task<std::size_t> _putn(const std::uint8_t* bytes, std::size_t count) override {
    if (!overflowed_ && count <= bytes_.size() - used_) {
      std::memcpy(bytes_.data() + used_, bytes, count);
      used_ += count;
    } else if (!overflowed_) {
      overflowed_ = true;
      too_much_();
    }
    return pplx::task_from_result(count);
  }

 private:
  std::array<char, kMaxAnswer> bytes_{};
  std::size_t used_ = 0;
  bool overflowed_ = false;
  std::function<void()> too_much_;
};

/// One POST, from its first byte to its outcome. Lives on the library's thread; other threads only make it, start
/// it and cancel it.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  /// `done` is called exactly once, on the library's thread.
  Exchange(PostRequest request, HttpsUrl url, std::shared_ptr<TlsGuard> guard,
           std::function<void(Outcome)> done)
      : form_(std::move(request.form)),
        authorization_(std::move(request.authorization)),
        url_(std::move(url)),
        guard_(std::move(guard)),
        done_(std::move(done)) {}

  void start() {
    boost::asio::post(library_thread(), [self = shared_from_this()] { self->send(); });
  }
  /// Closes the connection. The library's objects must not be touched by another thread meanwhile.
  void cancel() {
    boost::asio::post(library_thread(), [self = shared_from_this()] { self->cancellation_.cancel(); });
  }

 private:
  std::string address() const {
    const bool bracketed = url_.host.find(':') != std::string::npos;
    const auto host = bracketed ? "[" + url_.host + "]" : url_.host;
    // With a port, even the usual one, it would also be in the Host header.
    const auto port = url_.port == 443 ? std::string() : ":" + std::to_string(url_.port);
    return "https://" + host + port + url_.path;
  }

  /// Not an owner: it is kept by what this owns.
  std::function<void()> canceller() {
    return [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->cancel();
    };
  }

  web::http::client::http_client_config settings() {
    web::http::client::http_client_config config;
    config.set_max_redirects(0);
    config.set_chunksize(kReadAtOnce);
    // Only for silence; the whole time is the caller's to watch.
    config.set_timeout(kWhole);
    // Keeps this alive as long as the library keeps the connection, which reports to the guard.
    config.set_ssl_context_callback([self = shared_from_this()](boost::asio::ssl::context& context) {
      self->guard_->attach(*context.native_handle(), self->canceller());
    });
    return config;
  }

  void send() {
    try {
      request_.set_method(web::http::methods::POST);
      request_.headers().add("Accept", "application/json");
      request_.headers().add("User-Agent", "mail-identity-operator/" + std::string(kVersion));
      if (!authorization_.empty()) {
        // add() would make copies on the way that nobody wipes.
        request_.headers()["Authorization"].assign(authorization_.reveal());
      }
      const auto* form = reinterpret_cast<const std::uint8_t*>(form_.reveal().data());
      request_.set_body(concurrency::streams::rawptr_stream<std::uint8_t>::open_istream(form, form_.size()),
                        form_.size(), "application/x-www-form-urlencoded");
      body_ = std::make_shared<AnswerBuffer>(canceller());
      const concurrency::streams::streambuf<std::uint8_t> sink(body_);
      request_.set_response_stream(sink.create_ostream());

      web::http::client::http_client client(address(), settings());
      client.request(request_, cancellation_.get_token())
          .then([](http_response response) { return response.content_ready(); })
          .then([self = shared_from_this()](const pplx::task<http_response>& task) { self->finish(task); });
    } catch (const std::exception& error) {
      finish_with(Failed{{Reason::TokenEndpointUnreachable, named(error.what())}});
    }
  }

  void finish(const pplx::task<http_response>& task) {
    try {
      const auto response = task.get();
      finish_with(body_->overflowed() ? Outcome(Failed{too_large()}) : Outcome(answer(response)));
    } catch (const std::exception& error) {
      finish_with(Failed{failure(error)});
    }
  }

  PostAnswer answer(const http_response& response) const {
    PostAnswer answer;
    answer.status = response.status_code();
    const auto header = response.headers().find("Retry-After");
    if (header != response.headers().end()) answer.retry_after = header->second;
    answer.body = base::Secret(body_->text());
    return answer;
  }

  void finish_with(Outcome outcome) {
    const auto header = request_.headers().find("Authorization");
    if (header != request_.headers().end()) base::wipe(header->second);
    done_(std::move(outcome));
  }

  catalogue::Failure too_large() const { return {Reason::TokenResponseTooLarge, named("")}; }

  catalogue::Failure failure(const std::exception& error) const {
    if (body_->overflowed() || guard_->overflowed()) return too_large();
    if (!guard_->certificate_fault().empty()) {
      return {Reason::TokenEndpointCertificate, named(guard_->certificate_fault())};
    }
    const auto* http = dynamic_cast<const web::http::http_exception*>(&error);
    const bool silent = http != nullptr && http->error_code() == std::errc::timed_out;
    return {silent ? Reason::TokenEndpointTimeout : Reason::TokenEndpointUnreachable, named(error.what())};
  }

  std::string named(std::string_view what) const {
    return fmt::format("{}:{}{}{}", url_.host, url_.port, what.empty() ? "" : ": ", what);
  }

  base::Secret form_;
  base::Secret authorization_;
  HttpsUrl url_;
  std::shared_ptr<TlsGuard> guard_;
  std::function<void(Outcome)> done_;
  std::shared_ptr<AnswerBuffer> body_;
  web::http::http_request request_;
  pplx::cancellation_token_source cancellation_;
};

/// A call of post() that waits. Only its own executor's thread may touch it.
struct Waiting {
  explicit Waiting(const boost::asio::any_io_executor& executor) : answered(executor) {}
  net::Wakeup answered;
  std::optional<Outcome> outcome;
};

}  // namespace

/// The way from the library's thread to the caller's executor, which may go first.
class CpprestPost::Line {
 public:
  explicit Line(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  void deliver(const std::weak_ptr<Waiting>& to, Outcome outcome) {
    const std::lock_guard lock(mutex_);
    if (!executor_) return;
    boost::asio::post(executor_, [to, outcome = std::move(outcome)]() mutable {
      const auto waiting = to.lock();
      if (!waiting) return;
      waiting->outcome.emplace(std::move(outcome));
      waiting->answered.wake();
    });
  }
  void cut() {
    const std::lock_guard lock(mutex_);
    executor_ = {};
  }

 private:
  std::mutex mutex_;
  boost::asio::any_io_executor executor_;
};

CpprestPost::CpprestPost(boost::asio::any_io_executor executor, net::Timer& timer, std::string extra_roots)
    : executor_(executor),
      timer_(&timer),
      extra_roots_(std::move(extra_roots)),
      line_(std::make_shared<Line>(std::move(executor))) {
  // A request's own roots are put behind them, and PEM in the middle of a line is none.
  if (!extra_roots_.empty()) extra_roots_ += '\n';
  library_thread();
}

CpprestPost::~CpprestPost() {
  line_->cut();
}

boost::asio::awaitable<catalogue::Result<PostAnswer>> CpprestPost::post(PostRequest request) {
  auto url = parse_https_url(request.url);
  if (!url) co_return Failed{url.error()};
  auto guard = TlsGuard::make(url->host, extra_roots_ + request.ca_bundle);
  if (!guard) co_return Failed{guard.error()};

  const auto end = timer_->now() + kPostDeadline;
  const auto waiting = std::make_shared<Waiting>(executor_);
  auto done = [line = line_, to = std::weak_ptr<Waiting>(waiting)](Outcome outcome) {
    line->deliver(to, std::move(outcome));
  };
  const auto exchange =
      std::make_shared<Exchange>(std::move(request), *url, std::move(*guard), std::move(done));
  exchange->start();
  co_await waiting->answered.wait(*timer_, end);
  auto outcome = std::move(waiting->outcome);
  if (outcome) co_return std::move(*outcome);
  exchange->cancel();
  co_return Failed{{Reason::TokenEndpointTimeout, fmt::format("{}:{}", url->host, url->port)}};
}

}  // namespace mailid::oauth
