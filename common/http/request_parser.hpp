#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/http/message.hpp"

namespace mailid::http {

/// What one client may send in one request.
struct ParserLimits {
  std::size_t header_bytes = std::size_t{16} * 1024;
  std::size_t body_bytes = std::size_t{64} * 1024;
};

/// Bytes to requests, one connection's after another, without a socket (RFC 9112).
///
/// The header is refused at its limit whether it ends or not, a body by its announced length before the first
/// octet is kept, a chunked one when it grows over. A request with both Content-Length and Transfer-Encoding is
/// refused, so no two servers can disagree where it ends.
class RequestParser {
 public:
  enum class State {
    Idle,           ///< nothing of a request has come yet
    NeedMore,       ///< a part has come
    WantsContinue,  ///< the header is complete and the client waits for `100 Continue` (once for each request)
    Complete,       ///< take() gives the request
    Refused,        ///< refusal() is the answer; the connection must end after it
  };

  explicit RequestParser(ParserLimits limits);
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;
  ~RequestParser();

  /// Takes what was read from the connection; what follows a complete request is kept for the next one.
  State feed(std::string_view bytes);
  State state() const;
  /// After WantsContinue: the 100 was sent, go on.
  State continued();
  /// The request, once, after Complete; the parser begins the next one with what it has kept.
  Request take();
  /// Whether the client is ready for another request after the one that take() gave last.
  Persistence persistence() const;
  /// After Refused: 400, 413 or 431.
  const Response& refusal() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mailid::http
