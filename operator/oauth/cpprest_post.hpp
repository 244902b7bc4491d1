#pragma once

#include <memory>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>

#include "common/net/timer.hpp"
#include "operator/oauth/http_post.hpp"

namespace mailid::oauth {

/// HttpPost over cpprestsdk's client. The library's one thread does the HTTP, the caller's executor all the rest.
///
/// A new connection for each request: the library sends a POST again, without asking, where a kept connection
/// breaks. Besides the system's roots (SSL_CERT_FILE and SSL_CERT_DIR are heeded) the operator's extra roots and
/// the request's own are believed. TLS is 1.2 or newer.
class CpprestPost final : public HttpPost {
 public:
  /// @param timer        must outlive this
  /// @param extra_roots  PEM, may be empty
  CpprestPost(boost::asio::any_io_executor executor, net::Timer& timer, std::string extra_roots);
  ~CpprestPost() override;
  CpprestPost(const CpprestPost&) = delete;
  CpprestPost& operator=(const CpprestPost&) = delete;

  boost::asio::awaitable<catalogue::Result<PostAnswer>> post(PostRequest request) override;

 private:
  class Line;

  boost::asio::any_io_executor executor_;
  net::Timer* timer_;
  std::string extra_roots_;
  std::shared_ptr<Line> line_;
};

}  // namespace mailid::oauth
