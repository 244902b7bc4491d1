#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/http/server.hpp"

namespace mailid::http {

/// Why the process is not ready, or nothing where it is.
using Unready = std::optional<std::string>;
/// Asked at each /readyz; may take its time within the server's limits.
using ReadyCheck = std::function<asio::awaitable<Unready>()>;
/// Gives the text of /metrics (Prometheus exposition format 0.0.4), up to date at the moment it is asked.
using MetricsPage = std::function<std::string()>;

/// A check that knows the answer at once.
ReadyCheck ready_check(std::function<Unready()> check);

/// Handler of GET /healthz (200 while the process answers at all), /readyz (200, or 503 with the reason) and
/// /metrics; anything else is 404 or 405.
Handler status_pages(ReadyCheck ready, MetricsPage metrics);

}  // namespace mailid::http
