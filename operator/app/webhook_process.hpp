#pragma once

#include "common/base/metrics.hpp"
#include "common/http/server.hpp"
#include "common/http/status_pages.hpp"
#include "common/net/resolver.hpp"
#include "operator/admission/identity_lookup.hpp"
#include "operator/admission/webhook.hpp"
#include "operator/app/webhook.hpp"
#include "operator/kube/client.hpp"

namespace mailid::app {

/// The running webhook: two listeners and a round every few seconds that keeps certificates and caBundle right.
class WebhookProcess {
 public:
  /// The ports where it really listens.
  struct Ports {
    std::uint16_t webhook = 0;
    std::uint16_t health = 0;
  };

  /// All references must outlive the executor's last run.
  WebhookProcess(asio::any_io_executor executor, WebhookOptions options, kube::Client& client,
                 base::Metrics& metrics, const base::Clock& clock, const base::Log& log);

  /// Begins to listen and to keep the certificates, or says why it can't.
  base::Expected<Ports, std::string> start();

  /// Becomes unready, goes on for as long as the API server may still send, then answers what is under way and ends.
  asio::awaitable<void> stop();

 private:
  asio::awaitable<void> keep_serving();
  asio::awaitable<http::Unready> unready();

  asio::any_io_executor executor_;
  WebhookOptions options_;
  const base::Log* log_;
  net::SystemTimer timer_;
  net::SystemResolver resolver_;
  net::TlsServerContext tls_;
  base::Metrics* metrics_;
  admission::Serving serving_;
  admission::IdentityLookup lookup_;
  admission::Webhook webhook_;
  http::Server webhook_server_;
  http::Server health_server_;
  Ports ports_;
  bool stopping_ = false;
};

}  // namespace mailid::app
