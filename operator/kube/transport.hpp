#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "common/base/clock.hpp"
#include "common/base/expected.hpp"
#include "common/base/secret.hpp"

namespace mailid::kube {

/// One HTTP request to the API server.
struct Request {
  std::string method;        ///< `GET`, `POST`, `PATCH`
  std::string target;        ///< path and query, already encoded; begins with a slash
  std::string content_type;  ///< of the body; empty where there is none
  std::string body;
  base::Secret bearer;       ///< token for `Authorization: Bearer`; empty: none
  base::Duration timeout{};  ///< send(): for all of it. open(): for the header, and for each silence after it
  std::size_t body_limit =
      0;  ///< send(): bytes of the answer's body. open(): bytes not yet read from the stream
};

/// The answer's status line, the one header that matters here, and the body.
struct Response {
  int status = 0;
  std::string retry_after;  ///< the header as it came; empty: none
  std::string body;
};

/// Why there is no answer, or not all of it.
struct TransportError {
  enum class Kind {
    Broken,  ///< not reached, not trusted, or the connection ended too early; which one is only in the words
    TimedOut,  ///< the request's timeout came first
    TooLarge,  ///< the body went over the request's body_limit
  };
  Kind kind;
  std::string detail;  ///< for people; never holds a header or a body
};

template <class T>
using TransportResult = base::Expected<T, TransportError>;

/// The body of an answer that goes on: a watch. Ending the object ends the connection.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  /// What has come since the last call, at least one byte; empty at the end that the server meant. One call at a time.
  virtual boost::asio::awaitable<TransportResult<std::string>> read_some() = 0;
  /// Ends the connection; a read under way fails soon.
  virtual void cancel() = 0;
};

/// An answer whose status is known and whose body is still coming.
struct OpenResponse {
  Response head;                           ///< the body is empty where `stream` is there
  std::unique_ptr<ResponseStream> stream;  ///< only where the status is 200
};

/// Brings requests to one API server. Tests give one of their own for faults (tests/fakes/fake_kube_transport.hpp).
///
/// Never follows a redirect: the bearer token would go along. A request other than GET is sent at most once.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Sends a request and gives the whole answer, whatever its status.
  virtual boost::asio::awaitable<TransportResult<Response>> send(Request request) = 0;
  /// Sends a request and gives the answer's head; where it is 200 the body follows as a stream.
  virtual boost::asio::awaitable<TransportResult<OpenResponse>> open(Request request) = 0;
};

}  // namespace mailid::kube
