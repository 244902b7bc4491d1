#pragma once

#include <cstdint>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/base/metrics.hpp"
#include "common/base/random.hpp"
#include "common/http/server.hpp"
#include "common/http/status_pages.hpp"
#include "common/net/resolver.hpp"
#include "common/net/timer.hpp"
#include "sidecar/app/configuration.hpp"
#include "sidecar/app/frugal_handler.hpp"
#include "sidecar/delivery/delivery.hpp"
#include "sidecar/identity/mounted_identities.hpp"
#include "sidecar/server/listener.hpp"
#include "sidecar/spool/system_disk.hpp"
#include "sidecar/upstream/relay_transport.hpp"

namespace mailid::app {

/// All rooms of the sidecar, wired: from the app's connection to the relay's.
///
/// It needs no token and no identity to start; until they come messages are answered 451.
class Sidecar {
 public:
  /// Clock and log must outlive this.
  Sidecar(asio::any_io_executor executor, const Configuration& configuration, const base::Clock& clock,
          const base::Log& log);

  /// The ports that were bound.
  struct Ports {
    std::uint16_t smtp;
    std::uint16_t admin;
  };
  /// Begins to serve. Called once.
  /// @return or which port can't be had and why
  base::Expected<Ports, std::string> start();

  /// What SIGTERM asks for: serves on while there are clients, lets the messages under way be answered, then closes
  /// everything. As a native sidecar we are stopped after the app, so there is nobody left as a rule. Takes less than
  /// the 30 seconds that a pod has by default.
  asio::awaitable<void> stop();
  /// Names the messages that have no answer yet, because the program ends now.
  void name_left_behind() { delivery_.name_left_behind(); }

 private:
  http::Unready unusable(const std::string& identity);
  std::string metrics_page();

  Configuration configuration_;
  const base::Clock* clock_;
  const base::Log* log_;
  net::SystemTimer timer_;
  base::SystemRandom random_;
  base::Metrics metrics_;
  net::SystemResolver resolver_;
  identity::MountedIdentities identities_;
  upstream::RelayTransport transport_;
  delivery::Delivery delivery_;
  FrugalHandler handler_;
  spool::SystemDisk disk_;
  server::Listener listener_;
  http::Server admin_;
  asio::any_io_executor executor_;
};

}  // namespace mailid::app
