#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/net/asio.hpp"
#include "operator/kube/transport.hpp"

namespace mailid::fakes {

/// The bytes of one watch, as the test says them; a read waits until there is something to read.
class FakeWatch {
 public:
  explicit FakeWatch(const asio::any_io_executor& executor) : gate_(executor) {
    gate_.expires_at(asio::steady_timer::time_point::max());
  }

  void say(std::string bytes) { push(std::move(bytes)); }
  /// The server ends the watch as it should.
  void end() { push(std::string()); }
  void fail(kube::TransportError::Kind kind) {
    push(base::Unexpected{kube::TransportError{kind, "the test cut it"}});
  }
  bool cancelled = false;
  bool dropped = false;  ///< whoever read it has let it go

  asio::awaitable<kube::TransportResult<std::string>> read() {
    while (parts_.empty()) {
      error_code woken;
      co_await gate_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    auto part = std::move(parts_.front());
    parts_.pop_front();
    co_return part;
  }

 private:
  void push(kube::TransportResult<std::string> part) {
    parts_.push_back(std::move(part));
    gate_.cancel();
  }

  asio::steady_timer gate_;
  std::deque<kube::TransportResult<std::string>> parts_;
};

/// Answers requests with what the test has put down, in order, and keeps what was sent.
class FakeKubeTransport final : public kube::Transport {
 public:
  struct Sent {
    std::string method;
    std::string target;
    std::string content_type;
    std::string body;
    std::string bearer;
  };

  explicit FakeKubeTransport(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  void answer(int status, std::string body, std::string retry_after = {}) {
    answers_.emplace_back(kube::Response{status, std::move(retry_after), std::move(body)});
  }
  void fail(kube::TransportError::Kind kind) {
    answers_.emplace_back(base::Unexpected{kube::TransportError{kind, "the test cut it"}});
  }
  /// The next watch is opened, and the test says what comes over it.
  std::shared_ptr<FakeWatch> watch() {
    auto made = std::make_shared<FakeWatch>(executor_);
    watches_.emplace_back(made);
    return made;
  }
  /// The next watch is refused.
  void refuse_watch(int status, std::string body = {}) {
    watches_.emplace_back(kube::Response{status, {}, std::move(body)});
  }

  asio::awaitable<kube::TransportResult<kube::Response>> send(kube::Request request) override {
    keep(request);
    if (answers_.empty()) co_return nothing_left();
    auto answer = std::move(answers_.front());
    answers_.pop_front();
    co_return answer;
  }

  asio::awaitable<kube::TransportResult<kube::OpenResponse>> open(kube::Request request) override {
    keep(request);
    if (watches_.empty()) co_return nothing_left();
    auto next = std::move(watches_.front());
    watches_.pop_front();
    kube::OpenResponse opened;
    if (const auto* refused = std::get_if<kube::Response>(&next)) {
      opened.head = *refused;
    } else {
      opened.head.status = 200;
      opened.stream = std::make_unique<Stream>(std::get<0>(next));
    }
    co_return opened;
  }

  std::vector<Sent> sent;

 private:
  class Stream final : public kube::ResponseStream {
   public:
    explicit Stream(std::shared_ptr<FakeWatch> watch) : watch_(std::move(watch)) {}
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    ~Stream() override { watch_->dropped = true; }
    asio::awaitable<kube::TransportResult<std::string>> read_some() override { return watch_->read(); }
    void cancel() override {
      watch_->cancelled = true;
      watch_->fail(kube::TransportError::Kind::Broken);
    }

   private:
    std::shared_ptr<FakeWatch> watch_;
  };

  static base::Unexpected<kube::TransportError> nothing_left() {
    return base::Unexpected{
        kube::TransportError{kube::TransportError::Kind::Broken, "the test has no answer left"}};
  }

  void keep(const kube::Request& request) {
    sent.push_back({request.method, request.target, request.content_type, request.body,
                    std::string(request.bearer.reveal())});
  }

  asio::any_io_executor executor_;
  std::deque<kube::TransportResult<kube::Response>> answers_;
  std::deque<std::variant<std::shared_ptr<FakeWatch>, kube::Response>> watches_;
};

}  // namespace mailid::fakes
