#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "common/base/metrics.hpp"
#include "common/base/random.hpp"
#include "common/net/timer.hpp"
#include "operator/kube/client.hpp"
#include "operator/kube/material.hpp"
#include "operator/kube/transport.hpp"

namespace mailid::kube {

/// The limits of an HttpClient.
struct HttpClientLimits {
  base::Duration timeout{30'000};        ///< of one try
  base::Duration watch_silence{90'000};  ///< bookmarks come about once a minute
  std::size_t body_bytes = std::size_t{16} * 1024 * 1024;
  int tries = 4;                        ///< of one request, the first included
  base::Duration longest_wait{30'000};  ///< a longer Retry-After is the caller's to obey
};

/// The Client that talks to a real API server.
///
/// A path with `..`, an empty segment or an encoded slash is refused here (`InvalidPath`): part of it may be a name
/// that somebody else chose. Counts `rest_client_requests_total{code,method,host}`; the code is `<error>` where no answer came, as client-go says it.
class HttpClient final : public Client {
 public:
  /// All references must outlive this. `host` is what the metric says; `token` is read for each try.
  HttpClient(Transport& transport, Material token, std::string host, net::Timer& timer, base::Random& random,
             base::Metrics& metrics, HttpClientLimits limits = {});

  boost::asio::awaitable<Result<std::string>> get(std::string path) override;
  boost::asio::awaitable<Result<std::string>> create(std::string collection, std::string object) override;
  boost::asio::awaitable<Result<std::string>> apply(std::string path, std::string object,
                                                    std::string field_manager) override;
  boost::asio::awaitable<Result<std::string>> json_patch(std::string path, std::string operations) override;

  /// Opens a watch; `path` has the whole query (`...?watch=1&resourceVersion=5`). Tried once.
  boost::asio::awaitable<Result<std::unique_ptr<ResponseStream>>> watch(std::string path);

 private:
  /// What a request is, to be made anew for each try.
  struct Call {
    std::string method;
    std::string target;
    std::string content_type;
    std::string body;
  };

  boost::asio::awaitable<Result<std::string>> run(Call call);
  bool asks_for_another_try(const Status& status) const;
  Result<Request> request(const Call& call) const;
  void count(const std::string& method, int status);

  Transport* transport_;
  Material token_;
  std::string host_;
  net::Timer* timer_;
  base::Random* random_;
  base::Metrics* metrics_;
  HttpClientLimits limits_;
};

/// `text` with everything but unreserved characters percent-encoded (RFC 3986 section 2.3), for paths and queries.
std::string percent_encode(std::string_view text);

}  // namespace mailid::kube
