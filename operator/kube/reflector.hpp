#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "common/base/log.hpp"
#include "common/base/random.hpp"
#include "common/net/timer.hpp"
#include "operator/kube/back_off.hpp"
#include "operator/kube/client.hpp"
#include "operator/kube/http_client.hpp"
#include "operator/kube/known_objects.hpp"
#include "operator/kube/watch_decoder.hpp"

namespace mailid::kube {

/// What a reflector follows.
struct ReflectorOptions {
  std::string collection;      ///< path without query: `/apis/mailidentity.io/v1alpha1/mailidentities`
  std::string label_selector;  ///< empty: all
  std::size_t page = 250;      ///< objects of one list request, fewer where they are too large together
};

/// Follows one collection for ever: list, then watch, and again from the start where the server has forgotten how far
/// we were (410).
///
/// The handler sees each object that is there as Added, each change of resourceVersion as Modified and each object
/// that is gone as Deleted, also where that happened while nobody watched. Objects come as the server writes them,
/// without metadata.managedFields. A Deleted found by a list holds `metadata.namespace`, `name` and `uid` only. An
/// object that was made anew under its old name is Deleted, then Added. Of what it has seen it keeps a key, uid and
/// resourceVersion for each object, nothing else.
///
/// Failures are logged and tried again after 0.4 to 30 s (BackOff); they are never the handler's.
class Reflector {
 public:
  /// All references must outlive the executor's last run.
  Reflector(const boost::asio::any_io_executor& executor, HttpClient& client, net::Timer& timer,
            base::Random& random, const base::Log& log, WatchHandler& handler, ReflectorOptions options);

  /// Runs until stop(). To be spawned once.
  boost::asio::awaitable<void> run();
  /// Makes run() return soon. No event comes after this.
  void stop();
  /// Whether a list has been complete at least once.
  bool synced() const { return synced_; }

 private:
  enum class Next { Watch, List };

  boost::asio::awaitable<bool> list();
  boost::asio::awaitable<Result<std::string>> get_page(std::string continue_token);
  boost::asio::awaitable<Next> watch();
  boost::asio::awaitable<std::optional<Status>> follow();
  std::optional<Status> take(WatchDecoder& decoder);
  boost::asio::awaitable<void> wait_after(std::string what, Status status);
  void report(WatchEvent event);
  std::string target(const std::string& query) const;

  HttpClient* client_;
  net::Timer* timer_;
  base::Random* random_;
  const base::Log* log_;
  WatchHandler* handler_;
  ReflectorOptions options_;
  net::Wakeup stop_;
  BackOff back_off_;
  KnownObjects known_;
  std::unique_ptr<ResponseStream> stream_;
  std::size_t page_ = 0;  ///< objects of one request of the list under way
  int failures_ = 0;      ///< of watches in a row
  std::string resource_version_;
  bool synced_ = false;
  bool stopping_ = false;
};

}  // namespace mailid::kube
