#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "common/base/expected.hpp"

namespace mailid::kube {

/// Why a request to the API server gave no object: its Status (metav1.Status), or no answer at all.
struct Status {
  int code = 0;         ///< the HTTP status; 0 where no answer came
  std::string reason;   ///< `NotFound`, `Conflict`, `Expired`, ... or `Unreachable`, `TooLarge`
  std::string message;  ///< for people; never holds a credential
  std::optional<std::chrono::seconds> retry_after;

  /// The API server's own word that there is no such object, not a proxy's 404.
  bool not_found() const { return code == 404 && reason == "NotFound"; }
  bool conflict() const { return code == 409 && reason != "AlreadyExists"; }
  bool already_exists() const { return code == 409 && reason == "AlreadyExists"; }
  bool gone() const { return code == 410 || reason == "Expired"; }
  bool too_large() const { return code == 0 && reason == "TooLarge"; }
  bool forbidden() const { return code == 403; }
};

template <class T>
using Result = base::Expected<T, Status>;

/// The Kubernetes API, text in and text out: bodies are JSON and the caller's own model reads them.
///
/// Every path is absolute (`/api/v1/namespaces/shop/secrets/x`). 429 and 5xx with Retry-After are retried here a
/// few times; everything else is answered at once. One thread: the executor it was made with.
class Client {
 public:
  virtual ~Client() = default;

  virtual boost::asio::awaitable<Result<std::string>> get(std::string path) = 0;
  /// POST of a new object. AlreadyExists is an answer like any other.
  virtual boost::asio::awaitable<Result<std::string>> create(std::string collection, std::string object) = 0;
  /// Server-side apply with `force=true` on the fields that the object names.
  virtual boost::asio::awaitable<Result<std::string>> apply(std::string path, std::string object,
                                                            std::string field_manager) = 0;
  /// JSON patch (RFC 6902).
  virtual boost::asio::awaitable<Result<std::string>> json_patch(std::string path,
                                                                 std::string operations) = 0;
};

/// One event of a watch, or of the list that comes before it.
struct WatchEvent {
  enum class Type { Added, Modified, Deleted };
  Type type;
  std::string object;  ///< JSON
};

/// What a reflector (list, then watch, for ever) reports.
class WatchHandler {
 public:
  virtual ~WatchHandler() = default;
  virtual void on_event(WatchEvent event) = 0;
  /// The list is complete: what was not in it and was known before has been reported as Deleted.
  virtual void on_synced() = 0;
};

}  // namespace mailid::kube
