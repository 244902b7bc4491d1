#include "sidecar/server/connection.hpp"

#include <exception>
#include <utility>

#include <boost/asio/post.hpp>

namespace mailid::server {
namespace {

// A client that is still sending when it is cut off would lose the last reply to a reset, so what it sends is taken
// and thrown away for this long.
constexpr base::Duration kLinger{1'000};

}  // namespace

Connection::Connection(asio::any_io_executor executor, net::Stream::Socket socket,
                       std::shared_ptr<Service> service)
    : executor_(std::move(executor)),
      service_(std::move(service)),
      stream_(std::move(socket), *service_->timer),
      session_(*service_->handler, *service_->disk, service_->memory, service_->limits),
      last_reply_(service_->timer->now()) {}

void Connection::start(std::function<void()> ended) {
  ended_ = std::move(ended);
  ++parts_;
  auto done = [self = shared_from_this()](const std::exception_ptr& failure) { self->part_ended(failure); };
  asio::co_spawn(executor_, read(shared_from_this()), std::move(done));
}

/// The client's side: everything that comes, until it goes or is sent away.
asio::awaitable<void> Connection::read([[maybe_unused]] std::shared_ptr<Connection> self) {
  const auto first = session_.greet();
  co_await act(first);
  while (reading_) {
    const auto count = co_await stream_.read_some(buffer_, deadline());
    if (!count) {
      on_read_failure(count.error());
      continue;
    }
    const std::string_view bytes(buffer_.data(), *count);
    const auto next = session_.feed(bytes);
    co_await act(next);
    // A client that sends faster than it is read never makes us wait; the others have their turn here.
    co_await asio::post(executor_, asio::use_awaitable);
  }
}

void Connection::on_read_failure(const net::Error& error) {
  if (error.fault == net::Fault::TimedOut) {
    // A delivery, or a reply that came while the read was waiting, has moved the deadline.
    if (delivering_ || service_->timer->now() < deadline()) return;
    session_.time_out();
    stream_.write_now(session_.take_output());
  }
  reading_ = false;
  app_gone_.request_stop();
}

asio::awaitable<void> Connection::act(Session::Next next) {
  co_await write_output();
  switch (next) {
    case Session::Next::Read:
      break;
    case Session::Next::Deliver:
      co_await begin_delivery();
      break;
    case Session::Next::Wait:
      reading_ = false;
      break;
    case Session::Next::Close:
      co_await finish();
      break;
  }
  if (service_->stopping) shut_down();
}

/// Feeds what is in the socket already, without waiting: input that came before our next reply.
asio::awaitable<Session::Next> Connection::take_early_input() {
  auto next = Session::Next::Read;
  while (next == Session::Next::Read && !stream_.quiet()) {
    const auto count = co_await stream_.read_some(buffer_, service_->timer->now());
    if (!count) break;
    const std::string_view bytes(buffer_.data(), *count);
    next = session_.feed(bytes);
  }
  co_return next;
}

asio::awaitable<void> Connection::begin_delivery() {
  const auto early = co_await take_early_input();
  if (early == Session::Next::Close) {
    co_await write_output();
    co_await finish();
    co_return;
  }
  session_.begin_delivery();
  delivering_ = true;
  app_gone_ = std::stop_source();
  ++parts_;
  auto done = [self = shared_from_this()](const std::exception_ptr& failure) { self->part_ended(failure); };
  asio::co_spawn(executor_, deliver(shared_from_this()), std::move(done));
}

/// The other side: one message and the answer to it.
asio::awaitable<void> Connection::deliver([[maybe_unused]] std::shared_ptr<Connection> self) {
  const auto reply = co_await handle();
  if (reading_) co_await take_early_input();
  delivering_ = false;
  app_gone_ = std::stop_source(std::nostopstate);
  const auto next = session_.delivered(reply);
  if (next == Session::Next::Close && reading_) {
    co_await write_output();
    close();  // and no lingering: the reader waits on the stream, and two can't
    co_return;
  }
  co_await act(next);
  // The reader has left already; nobody else will end this.
  if (!reading_) stream_.close();
}

asio::awaitable<smtp::Reply> Connection::handle() {
  try {
    if (const auto refusal = session_.refusal()) {
      service_->handler->turned_away(session_.envelope(), refusal->reply, refusal->reason);
      co_return refusal->reply;
    }
    co_return co_await service_->handler->deliver(session_.envelope(), session_.body(),
                                                  app_gone_.get_token());
  } catch (const std::exception& error) {
    service_->log->error("a message failed by a bug", {{"error", error.what()}});
  }
  co_return smtp::make_reply(451, "4.3.0", "Internal error; try again");
}

asio::awaitable<void> Connection::write_output() {
  const auto output = session_.take_output();
  if (output.empty()) co_return;
  const auto written =
      co_await stream_.write_all(output, service_->timer->now() + service_->limits.reply_time);
  last_reply_ = service_->timer->now();
  if (!written) close();
  if (session_.broke_synchrony()) {
    service_->log->warning("a client sent on before our reply and was cut off");
  }
}

/// The last reply is written: ends the connection so that the client can still read it.
asio::awaitable<void> Connection::finish() {
  reading_ = false;
  const auto until = service_->timer->now() + kLinger;
  while (session_.cut_off() && service_->timer->now() < until) {
    const auto count = co_await stream_.read_some(buffer_, until);
    if (!count) break;
    co_await asio::post(executor_, asio::use_awaitable);
  }
  close();
}

void Connection::close() {
  reading_ = false;
  stream_.close();
}

base::SteadyTime Connection::deadline() const {
  const auto& limits = service_->limits;
  if (delivering_) return service_->timer->now() + limits.line_time;
  if (!session_.receiving()) return last_reply_ + limits.line_time;
  return last_reply_ + limits.data_time + std::chrono::seconds(session_.received() / limits.data_rate);
}

void Connection::shut_down() {
  if (session_.in_transaction() || delivering_) return;
  abort();
}

void Connection::abort() {
  if (!stream_.open()) return;
  reading_ = false;
  if (!delivering_) {
    session_.shut_down();
    stream_.write_now(session_.take_output());
  }
  app_gone_.request_stop();
  stream_.close();
}

void Connection::part_ended(const std::exception_ptr& failure) {
  if (failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      service_->log->error("a connection ended by a bug", {{"error", error.what()}});
    }
    reading_ = false;
    stream_.close();
  }
  if (--parts_ > 0) return;
  stream_.close();
  if (ended_) std::exchange(ended_, nullptr)();
}

}  // namespace mailid::server
