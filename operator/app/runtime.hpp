#pragma once

#include <memory>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/base/metrics.hpp"
#include "common/base/random.hpp"
#include "common/net/timer.hpp"
#include "operator/app/kube_connection.hpp"

namespace mailid::app {

/// What every command stands on: the event loop of its one thread, and the system's clock, timer and randomness.
struct Runtime {
  explicit Runtime(base::LogLevel level) : log(clock, level) {}

  /// The API server, see KubeConnection::open; must not outlive this.
  base::Expected<std::unique_ptr<KubeConnection>, std::string> connect(const std::string& kubeconfig);

  /// Logs why. @return kFailed
  int refuse_to_start(const std::string& why) const;

  asio::io_context io{1};
  base::SystemClock clock;
  base::Log log;
  net::SystemTimer timer{io.get_executor()};
  base::SystemRandom random;
  base::Metrics metrics;
};

}  // namespace mailid::app
