#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "common/net/asio.hpp"
#include "common/net/error.hpp"
#include "common/net/timer.hpp"
#include "common/net/tls.hpp"

namespace mailid::net {

/// One TCP connection, in clear at first, that can change to TLS once and for good.
///
/// TLS works on the descriptor itself, without staging buffers: about 20 kB a session. Every wait has a
/// deadline on the Timer; an operation that is not held up never looks at the time. One read and one write at
/// a time. After any failure but TimedOut on a read only close() makes sense. Never raises SIGPIPE. TCP_NODELAY
/// is set, so what must go out in one segment must be in one write.
class Stream {
 public:
  using Socket = asio::ip::tcp::socket;

  /// Takes a connected socket. `timer` must outlive the stream.
  Stream(Socket socket, Timer& timer);

  /// Reads what is there, at least one octet, into a buffer that is not empty. Closed at the end.
  asio::awaitable<Result<std::size_t>> read_some(std::span<char> into, base::SteadyTime deadline);
  /// Writes all of it; the bytes must live until it returns.
  asio::awaitable<Result<base::Done>> write_all(std::string_view bytes, base::SteadyTime deadline);

  /// Becomes TLS, as client. Fails with UnexpectedData, without a handshake, where the peer has already sent
  /// anything more in clear (response injection behind STARTTLS); with Certificate where it is not `host`.
  /// The caller answers for bytes that it has read itself.
  asio::awaitable<Result<base::Done>> start_tls(TlsClientContext& context, std::string host,
                                                base::SteadyTime deadline);
  /// Becomes TLS, as server.
  asio::awaitable<Result<base::Done>> accept_tls(const TlsServerContext& context, base::SteadyTime deadline);
  bool encrypted() const { return ssl_ != nullptr; }

  /// True where nothing has come and the peer has not gone: a kept connection that is not quiet is dead.
  bool quiet();
  /// Sends what fits without waiting, whatever comes of it: a QUIT before close().
  void write_now(std::string_view bytes) noexcept;
  /// Acknowledge at once while replies are awaited one by one: without it a TLS 1.3 server's first reply
  /// waits 40 ms for our delayed acknowledgement of its session tickets.
  void set_quick_ack(bool on) { quick_ack_ = on; }
  /// Says goodbye in TLS, ends the connection and every operation on it.
  void close() noexcept;
  bool open() const { return socket_.is_open(); }

 private:
  enum class Want { Nothing, Read, Write };
  struct Attempt {
    std::size_t count = 0;
    Want want = Want::Nothing;
    bool failed = false;
  };

  Attempt try_read(std::span<char> into);
  Attempt try_write(std::string_view bytes);
  Attempt try_handshake();
  Attempt tls_attempt(int result, std::size_t count);
  Attempt closed(std::string words);
  asio::awaitable<Result<base::Done>> handshake(base::SteadyTime deadline);
  asio::awaitable<Result<base::Done>> wait(Want want, base::SteadyTime deadline);

  Socket socket_;
  Timer* timer_;
  Ssl ssl_;
  bool quick_ack_ = false;
  bool broken_ = false;  ///< TLS can't say goodbye any more
  Error error_{Fault::Closed, {}};
};

}  // namespace mailid::net
