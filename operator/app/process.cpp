#include "operator/app/process.hpp"

#include <csignal>
#include <exception>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>

#include "operator/app/program.hpp"
#include "operator/kube/cpprest_transport.hpp"

namespace mailid::app {
namespace {

using Stop = std::function<asio::awaitable<void>()>;

asio::awaitable<void> stop_at_signal(asio::io_context& io, asio::signal_set& signals, const base::Log& log,
                                     Stop stop) {
  const int first = co_await signals.async_wait(asio::use_awaitable);
  log.info("told to stop", {{"signal", first}});
  signals.async_wait([&io, &log](error_code error, int) {
    if (error) return;
    log.warning("told to stop again, so without waiting");
    io.stop();
  });
  co_await stop();
  io.stop();
}

}  // namespace

void prepare_process() {
  ::prctl(PR_SET_DUMPABLE, 0);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  std::signal(SIGPIPE, SIG_IGN);
  kube::use_one_http_thread();
}

int refuse_usage(std::string_view command, std::string_view what) {
  const auto text = fmt::format(
      "mail-identity-operator {0}: {1}\nmail-identity-operator {0} --help lists the flags\n", command, what);
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  return kWrongUsage;
}

int run_until_signal(asio::io_context& io, const base::Log& log, Stop stop) {
  asio::signal_set signals(io, SIGTERM, SIGINT);
  std::exception_ptr failure;
  asio::co_spawn(io, stop_at_signal(io, signals, log, std::move(stop)),
                 [&io, &failure](std::exception_ptr thrown) {
                   failure = std::move(thrown);
                   if (failure) io.stop();
                 });
  try {
    io.run();
    if (failure) std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    log.error("ended by a bug", {{"detail", error.what()}});
    return kFailed;
  }
  log.info("stopped");
  return kEndedWell;
}

}  // namespace mailid::app
