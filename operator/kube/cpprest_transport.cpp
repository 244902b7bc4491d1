#include "operator/kube/cpprest_transport.hpp"

#include <algorithm>
#include <atomic>
#include <cpprest/containerstream.h>
#include <cpprest/http_client.h>
#include <cpprest/producerconsumerstream.h>
#include <mutex>
#include <pplx/threadpool.h>
#include <stdexcept>
#include <vector>

#include "common/net/asio.hpp"
#include "operator/kube/server_tls.hpp"
#include "operator/kube/waiting_desk.hpp"

namespace mailid::kube {
namespace {

namespace http = web::http;
using http::client::http_client;
using http::client::http_client_config;

/// What one task of the library has brought.
struct Arrival {
  TransportResult<std::string> bytes{std::string()};
  http::http_response response;
};
using Desk = WaitingDesk<Arrival>;

Arrival transport_ended() {
  Arrival nothing;
  nothing.bytes = base::Unexpected{TransportError{TransportError::Kind::Broken, "the transport has ended"}};
  return nothing;
}

/// One request under way, known to both threads.
struct Exchange {
  pplx::cancellation_token_source source;
  std::atomic<bool> timed_out{false};
  std::atomic<bool> too_large{false};
  std::atomic<std::uint64_t> received{0};  ///< bytes of the body
  std::atomic<std::uint64_t> taken{0};     ///< bytes of them that were read from the stream
  std::uint64_t limit = 0;

  /// Cancels where the library looks for it: cancelled from another thread it has data races.
  static void cancel(const std::shared_ptr<Exchange>& exchange) {
    crossplat::threadpool::shared_instance().service().post([exchange] { exchange->source.cancel(); });
  }
};

TransportError error_of(const Exchange& exchange, const std::exception_ptr& failure) {
  using Kind = TransportError::Kind;
  if (exchange.too_large) return {Kind::TooLarge, "the answer is larger than what is taken"};
  if (exchange.timed_out) return {Kind::TimedOut, "no answer in time"};
  try {
    std::rethrow_exception(failure);
  } catch (const http::http_exception& error) {
    std::string words = error.what();
    if (words.find("SSL handshake") != std::string::npos) {
      words += ": its certificate is not trusted or not for this name, or it does not take ours";
    }
    return {Kind::Broken, std::move(words)};
  } catch (const std::exception& error) {
    return {Kind::Broken, error.what()};
  }
}

/// Waits for a task and comes back on the caller's executor. An exception of the task becomes the arrival's error.
/// It is cancelled where it takes longer than `timeout`.
asio::awaitable<Arrival> arrival_of(std::shared_ptr<Desk> desk, std::shared_ptr<Exchange> exchange,
                                    net::Timer* timer, base::Duration timeout, pplx::task<Arrival> task) {
  const auto executor = co_await asio::this_coro::executor;
  auto too_late = [exchange] {
    exchange->timed_out = true;
    Exchange::cancel(exchange);
  };
  const auto alarm = timer->set_alarm(timer->now() + timeout, std::move(too_late));
  auto init = [desk, exchange, task, executor](auto handler) {
    auto kept = std::make_shared<decltype(handler)>(std::move(handler));
    // Called once, it keeps nothing: else the library's thread might be the one that ends the coroutine.
    auto resume = [kept = std::move(kept), executor](Arrival arrival) mutable {
      asio::post(executor, [kept = std::move(kept), arrival = std::move(arrival)]() mutable {
        (*kept)(std::move(arrival));
      });
    };
    const auto ticket = desk->wait(std::move(resume));
    task.then([desk, exchange, ticket](const pplx::task<Arrival>& ended) {
      Arrival arrival;
      try {
        arrival = ended.get();
      } catch (...) {
        arrival.bytes = base::Unexpected{error_of(*exchange, std::current_exception())};
      }
      desk->arrived(ticket, std::move(arrival));
    });
  };
  auto operation = asio::async_initiate<const asio::use_awaitable_t<>&, void(Arrival)>(std::move(init),
                                                                                       asio::use_awaitable);
  co_return co_await std::move(operation);
}

http::http_request library_request(Request& request, const std::string& user_agent,
                                   const std::shared_ptr<Exchange>& exchange) {
  http::http_request made(request.method);
  made.set_request_uri(web::uri(request.target));
  made.headers().add("Accept", "application/json");
  if (!user_agent.empty()) made.headers().add("User-Agent", user_agent);
  if (!request.bearer.empty()) {
    made.headers().add("Authorization", "Bearer " + std::string(request.bearer.reveal()));
  }
  if (!request.content_type.empty()) {
    // Where a kept connection dies the library sends the request again, if it can go back to the body's start. This
    // one can't, so a write is sent at most once.
    concurrency::streams::producer_consumer_buffer<std::uint8_t> body;
    const auto& bytes = request.body;
    body.putn_nocopy(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    body.close(std::ios_base::out);
    made.set_body(body.create_istream(), bytes.size(), request.content_type);
  }
  made.set_progress_handler([exchange](http::message_direction::direction direction, std::uint64_t bytes) {
    if (direction != http::message_direction::download) return;
    exchange->received = bytes;
    if (bytes - exchange->taken <= exchange->limit) return;
    // Closes the connection too, so that nobody gets what is left in it as the answer to the next request.
    exchange->too_large = true;
    exchange->source.cancel();
  });
  return made;
}

pplx::task<Arrival> read_body(http::http_response response) {
  concurrency::streams::container_buffer<std::vector<std::uint8_t>> buffer;
  return response.body().read_to_end(buffer).then([buffer, response](std::size_t) {
    Arrival arrival;
    const auto& bytes = buffer.collection();
    arrival.bytes = std::string(bytes.begin(), bytes.end());
    arrival.response = response;
    return arrival;
  });
}

/// What has come of a body, at least one byte; empty at its end.
pplx::task<Arrival> read_some(concurrency::streams::streambuf<std::uint8_t> body,
                              std::shared_ptr<Exchange> exchange) {
  using Traits = concurrency::streams::char_traits<std::uint8_t>;
  return body.getc().then([body, exchange](Traits::int_type first) mutable {
    if (first == Traits::eof()) return pplx::task_from_result(Arrival());
    auto bytes = std::make_shared<std::vector<std::uint8_t>>(std::max<std::size_t>(body.in_avail(), 1));
    return body.getn(bytes->data(), bytes->size()).then([bytes, exchange](std::size_t count) {
      exchange->taken += count;
      Arrival arrival;
      arrival.bytes = std::string(bytes->begin(), bytes->begin() + static_cast<std::ptrdiff_t>(count));
      return arrival;
    });
  });
}

Response head_of(const http::http_response& response) {
  Response head;
  head.status = response.status_code();
  const auto found = response.headers().find("Retry-After");
  if (found != response.headers().end()) head.retry_after = found->second;
  return head;
}

class CpprestStream final : public ResponseStream {
 public:
  CpprestStream(std::shared_ptr<Desk> desk, std::shared_ptr<Exchange> exchange, net::Timer& timer,
                base::Duration silence, http::http_response response, std::shared_ptr<http_client> client)
      : desk_(std::move(desk)),
        exchange_(std::move(exchange)),
        timer_(&timer),
        silence_(silence),
        body_(response.body().streambuf()),
        client_(std::move(client)) {}
  CpprestStream(const CpprestStream&) = delete;
  CpprestStream& operator=(const CpprestStream&) = delete;
  ~CpprestStream() override { Exchange::cancel(exchange_); }

  asio::awaitable<TransportResult<std::string>> read_some() override {
    // The stream may end while its read is under way; what the read needs is its own.
    auto task = kube::read_some(body_, exchange_);
    auto arrival = co_await arrival_of(desk_, exchange_, timer_, silence_, std::move(task));
    co_return std::move(arrival.bytes);
  }

  void cancel() override { Exchange::cancel(exchange_); }

 private:
  std::shared_ptr<Desk> desk_;
  std::shared_ptr<Exchange> exchange_;
  net::Timer* timer_;
  base::Duration silence_;
  concurrency::streams::streambuf<std::uint8_t> body_;
  std::shared_ptr<http_client> client_;
};

}  // namespace

void use_one_http_thread() {
  static std::once_flag once;
  std::call_once(once, [] {
    try {
      crossplat::threadpool::initialize_with_threads(1);
    } catch (const std::runtime_error&) {  // NOLINT(bugprone-empty-catch): nothing is left to be done
      // Somebody else has said it before; the library takes it only once.
    }
  });
}

class CpprestTransport::Impl {
 public:
  Impl(net::Timer& timer, const Config& config)
      : timer_(&timer),
        server_(config.server),
        user_agent_(config.user_agent),
        trust_(std::make_shared<const Trust>(trust_of(config))) {
    use_one_http_thread();
    client_ = make_client();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    desk_->close(transport_ended());
    for (const auto& weak : exchanges_) {
      if (const auto exchange = weak.lock()) Exchange::cancel(exchange);
    }
  }

  asio::awaitable<TransportResult<Response>> send(Request request) {
    const auto exchange = new_exchange(request);
    const auto timeout = request.timeout;
    auto task = start(request, exchange).then(read_body);
    auto arrival = co_await arrival_of(desk_, exchange, timer_, timeout, std::move(task));
    if (!arrival.bytes) co_return base::Unexpected{std::move(arrival.bytes.error())};
    auto response = head_of(arrival.response);
    response.body = std::move(*arrival.bytes);
    co_return response;
  }

  asio::awaitable<TransportResult<OpenResponse>> open(Request request) {
    const auto exchange = new_exchange(request);
    const auto timeout = request.timeout;
    auto task = start(request, exchange).then([](http::http_response response) {
      if (response.status_code() != http::status_codes::OK) return read_body(std::move(response));
      Arrival head;
      head.response = std::move(response);
      return pplx::task_from_result(std::move(head));
    });
    auto arrival = co_await arrival_of(desk_, exchange, timer_, timeout, std::move(task));
    if (!arrival.bytes) co_return base::Unexpected{std::move(arrival.bytes.error())};
    OpenResponse opened;
    opened.head = head_of(arrival.response);
    opened.head.body = std::move(*arrival.bytes);
    if (opened.head.status == http::status_codes::OK) {
      opened.stream =
          std::make_unique<CpprestStream>(desk_, exchange, *timer_, timeout, arrival.response, client_);
    }
    co_return opened;
  }

 private:
  static Trust trust_of(const Config& config) {
    return {config.ca.clone(), config.client_certificate.clone(), config.client_key.clone()};
  }

  std::shared_ptr<http_client> make_client() const {
    http_client_config config;
    config.set_max_redirects(0);
    // Our own alarms come long before that: the library's clock is started anew with each byte.
    config.set_timeout(std::chrono::hours(1));
    config.set_ssl_context_callback(
        [trust = trust_](asio::ssl::context& context) { set_up_tls(context, *trust); });
    return std::make_shared<http_client>(server_, config);
  }

  std::shared_ptr<Exchange> new_exchange(const Request& request) {
    auto exchange = std::make_shared<Exchange>();
    exchange->limit = request.body_limit;
    std::erase_if(exchanges_, [](const auto& weak) { return weak.expired(); });
    exchanges_.push_back(exchange);
    return exchange;
  }

  /// The library throws some failures (of the TLS callback, for example) at once.
  pplx::task<http::http_response> start(Request& request, const std::shared_ptr<Exchange>& exchange) const {
    try {
      return client_->request(library_request(request, user_agent_, exchange), exchange->source.get_token());
    } catch (...) {
      return pplx::task_from_exception<http::http_response>(std::current_exception());
    }
  }

  net::Timer* timer_;
  std::string server_;
  std::string user_agent_;
  std::shared_ptr<const Trust> trust_;
  std::shared_ptr<Desk> desk_ = std::make_shared<Desk>();
  std::vector<std::weak_ptr<Exchange>> exchanges_;
  /// One for all: to make the TLS of a connection costs some 20 ms, as the library reads the system's roots first.
  std::shared_ptr<http_client> client_;
};

CpprestTransport::CpprestTransport(net::Timer& timer, const Config& config)
    : impl_(std::make_unique<Impl>(timer, config)) {}

CpprestTransport::~CpprestTransport() = default;

asio::awaitable<TransportResult<Response>> CpprestTransport::send(Request request) {
  return impl_->send(std::move(request));
}

asio::awaitable<TransportResult<OpenResponse>> CpprestTransport::open(Request request) {
  return impl_->open(std::move(request));
}

}  // namespace mailid::kube
