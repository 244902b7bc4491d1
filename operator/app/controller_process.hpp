#pragma once

#include "common/base/metrics.hpp"
#include "common/base/random.hpp"
#include "common/http/server.hpp"
#include "common/http/status_pages.hpp"
#include "common/net/resolver.hpp"
#include "operator/app/controller.hpp"
#include "operator/kube/http_client.hpp"
#include "operator/kube/reflector.hpp"
#include "operator/kube/work_queue.hpp"
#include "operator/oauth/cpprest_post.hpp"
#include "operator/oauth/http_token_client.hpp"
#include "operator/reconcile/controller.hpp"
#include "operator/reconcile/reconciler.hpp"

namespace mailid::app {

/// The running controller: a reflector of all namespaces' MailIdentities, a work queue, workers that reconcile, and
/// a listener for health and metrics.
class ControllerProcess {
 public:
  /// All references must outlive the executor's last run.
  ControllerProcess(asio::any_io_executor executor, ControllerOptions options, kube::HttpClient& client,
                    base::Random& random, base::Metrics& metrics, const base::Clock& clock,
                    const base::Log& log);

  /// Begins to listen and to work, or says why it can't. @return the port of health and metrics
  base::Expected<std::uint16_t, std::string> start();

  /// Becomes unready, takes nothing new, and lets what is under way reach its Secret and its status.
  asio::awaitable<void> stop();

 private:
  http::Unready unready() const;
  std::string metrics_page();

  asio::any_io_executor executor_;
  std::uint16_t health_port_;
  const base::Log* log_;
  net::SystemTimer timer_;
  net::SystemResolver resolver_;
  base::Metrics* metrics_;
  oauth::CpprestPost post_;
  oauth::HttpTokenClient token_client_;
  reconcile::SmtpLoginProbe login_probe_;
  reconcile::Reconciler reconciler_;
  kube::WorkQueue queue_;
  reconcile::Controller controller_;
  kube::Reflector reflector_;
  http::Server health_server_;
  bool stopping_ = false;
};

}  // namespace mailid::app
