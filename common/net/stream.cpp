#include "common/net/stream.hpp"

#include <cerrno>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <system_error>
#include <utility>

#include "common/net/tls_descriptor.hpp"

namespace mailid::net {
namespace {

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

std::string system_words(int error) {
  return std::generic_category().message(error);
}

base::Unexpected<Error> fail(Error error) {
  return base::Unexpected<Error>{std::move(error)};
}

/// What OpenSSL's error queue says of a handshake or record that failed.
Error tls_error(const SSL& session) {
  const auto verified = SSL_get_verify_result(&session);
  if (verified != X509_V_OK) return {Fault::Certificate, X509_verify_cert_error_string(verified)};
  const auto code = ERR_peek_last_error();
  if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return {Fault::Closed, "the peer ended the connection"};
  }
  const char* words = ERR_reason_error_string(code);
  return {Fault::Tls, words == nullptr ? "the TLS record is broken" : words};
}

}  // namespace

Stream::Stream(Socket socket, Timer& timer) : socket_(std::move(socket)), timer_(&timer) {
  error_code ignored;
  socket_.native_non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

asio::awaitable<Result<std::size_t>> Stream::read_some(std::span<char> into, base::SteadyTime deadline) {
  for (;;) {
    const auto attempt = try_read(into);
    if (attempt.failed) co_return fail(error_);
    if (attempt.want == Want::Nothing) co_return attempt.count;
    auto ready = co_await wait(attempt.want, deadline);
    if (!ready) co_return fail(std::move(ready.error()));
  }
}

asio::awaitable<Result<base::Done>> Stream::write_all(std::string_view bytes, base::SteadyTime deadline) {
  while (!bytes.empty()) {
    const auto attempt = try_write(bytes);
    if (attempt.failed) co_return fail(error_);
    bytes.remove_prefix(attempt.count);
    if (attempt.want == Want::Nothing) continue;
    auto ready = co_await wait(attempt.want, deadline);
    if (!ready) co_return fail(std::move(ready.error()));
  }
  co_return base::Done();
}

asio::awaitable<Result<base::Done>> Stream::start_tls(TlsClientContext& context, std::string host,
                                                      base::SteadyTime deadline) {
  char octet = 0;
  const auto early = ::recv(socket_.native_handle(), &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  if (early > 0) {
    close();
    Error injected{Fault::UnexpectedData, "data in clear where the TLS handshake must come first"};
    co_return fail(std::move(injected));
  }
  auto session = context.new_session(host);
  if (!session) co_return fail(std::move(session.error()));
  ssl_ = std::move(*session);
  co_return co_await handshake(deadline);
}

asio::awaitable<Result<base::Done>> Stream::accept_tls(const TlsServerContext& context,
                                                       base::SteadyTime deadline) {
  auto session = context.new_session();
  if (!session) co_return fail(std::move(session.error()));
  ssl_ = std::move(*session);
  co_return co_await handshake(deadline);
}

asio::awaitable<Result<base::Done>> Stream::handshake(base::SteadyTime deadline) {
  auto result = attach(*ssl_, socket_.native_handle())
                    ? Result<base::Done>(base::Done())
                    : Result<base::Done>(fail({Fault::Tls, "out of memory"}));
  while (result) {
    const auto attempt = try_handshake();
    if (attempt.failed) {
      result = fail(error_);
    } else if (attempt.want == Want::Nothing) {
      co_return result;
    } else {
      result = co_await wait(attempt.want, deadline);
    }
  }
  // A stream that half changed must not go on in clear.
  close();
  co_return result;
}

asio::awaitable<Result<base::Done>> Stream::wait(Want want, base::SteadyTime deadline) {
  if (timer_->now() >= deadline) co_return fail({Fault::TimedOut, "no answer in time"});
  if (quick_ack_ && want == Want::Read) {
    const int on = 1;
    ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
  }
  bool late = false;
  auto ring = [this, &late] {
    late = true;
    error_code ignored;
    socket_.cancel(ignored);
  };
  const auto alarm = timer_->set_alarm(deadline, std::move(ring));
  const auto what = want == Want::Read ? Socket::wait_read : Socket::wait_write;
  error_code error;
  co_await socket_.async_wait(what, asio::redirect_error(asio::use_awaitable, error));
  if (!socket_.is_open()) co_return fail({Fault::Closed, "the connection was closed here"});
  if (late) co_return fail({Fault::TimedOut, "no answer in time"});
  // Aborted although nobody was late: the alarm of the other direction ended both; this one tries again.
  if (error && error != asio::error::operation_aborted) co_return fail({Fault::Closed, error.message()});
  co_return base::Done();
}

Stream::Attempt Stream::closed(std::string words) {
  error_ = {Fault::Closed, std::move(words)};
  return {.failed = true};
}

Stream::Attempt Stream::try_read(std::span<char> into) {
  if (!socket_.is_open()) return closed("the connection was closed here");
  if (ssl_) {
    std::size_t count = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
    return tls_attempt(result, count);
  }
  const auto count = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
  if (count > 0) return {.count = static_cast<std::size_t>(count)};
  if (count == 0) return closed("the peer ended the connection");
  if (would_block(errno)) return {.want = Want::Read};
  return closed(system_words(errno));
}

Stream::Attempt Stream::try_write(std::string_view bytes) {
  if (!socket_.is_open()) return closed("the connection was closed here");
  if (ssl_) {
    std::size_t count = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
    return tls_attempt(result, count);
  }
  const auto count = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (count >= 0) return {.count = static_cast<std::size_t>(count)};
  if (would_block(errno)) return {.want = Want::Write};
  return closed(system_words(errno));
}

Stream::Attempt Stream::try_handshake() {
  if (!socket_.is_open()) return closed("the connection was closed here");
  ERR_clear_error();
  return tls_attempt(SSL_do_handshake(ssl_.get()), 0);
}

Stream::Attempt Stream::tls_attempt(int result, std::size_t count) {
  if (result > 0) return {.count = count};
  const int system_error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {.want = Want::Read};
    case SSL_ERROR_WANT_WRITE:
      return {.want = Want::Write};
    case SSL_ERROR_ZERO_RETURN:
      return closed("the peer ended the connection");
    case SSL_ERROR_SYSCALL:
      broken_ = true;
      return closed(system_error == 0 ? "the peer ended the connection" : system_words(system_error));
    default:
      broken_ = true;
      error_ = tls_error(*ssl_);
      ERR_clear_error();
      return {.failed = true};
  }
}

bool Stream::quiet() {
  if (!socket_.is_open()) return false;
  char octet = 0;
  if (ssl_) {
    // Takes in what is no data, such as session tickets that came late.
    std::size_t count = 0;
    ERR_clear_error();
    const auto attempt = tls_attempt(SSL_peek_ex(ssl_.get(), &octet, 1, &count), count);
    return !attempt.failed && attempt.want == Want::Read;
  }
  const auto count = ::recv(socket_.native_handle(), &octet, 1, MSG_PEEK);
  return count < 0 && would_block(errno);
}

void Stream::write_now(std::string_view bytes) noexcept {
  try_write(bytes);
}

void Stream::close() noexcept {
  if (ssl_ && !broken_ && SSL_is_init_finished(ssl_.get()) != 0) SSL_shutdown(ssl_.get());
  // Only where there was TLS: the first call initialises OpenSSL, half a megabyte that a local client need not cost.
  if (ssl_) ERR_clear_error();
  ssl_.reset();
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace mailid::net
