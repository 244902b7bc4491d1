#include "sidecar/app/program.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <boost/asio/signal_set.hpp>

#include "mailid_version.hpp"
#include "sidecar/app/command_line.hpp"
#include "sidecar/app/footprint.hpp"
#include "sidecar/app/probe.hpp"
#include "sidecar/app/sidecar.hpp"

namespace mailid::app {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kWrongUse = 2;

int say(int code, std::string_view words) {
  std::fprintf(code == kDone ? stdout : stderr, "%.*s\n", static_cast<int>(words.size()), words.data());
  return code;
}

/// Tokens are in this process: no core file, no ptrace by its own user, no file that others may read.
void keep_secrets_in() {
  ::prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::umask(077);
}

/// Each client is a descriptor, and the usual soft limit of 1024 is less than all of them and the rest.
void allow_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int probe_once(const std::string& page) {
  const auto port = read_admin_port(process_environment);
  if (!port) return say(kWrongUse, port.error());
  const auto answer = probe(*port, page);
  return answer ? kDone : say(kFailed, "mail-sidecar: " + answer.error());
}

/// Stops on the first signal, ends at once on the second.
class Stopper {
 public:
  Stopper(asio::io_context& io, Sidecar& sidecar, const base::Log& log)
      : io_(&io), sidecar_(&sidecar), log_(&log), signals_(io, SIGTERM, SIGINT) {}

  asio::awaitable<void> wait() {
    co_await signals_.async_wait(asio::use_awaitable);
    asio::co_spawn(*io_, stop(), asio::detached);
    // Some supervisors signal the process and its group; that is not impatience.
    const auto impatient_from = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    do {
      co_await signals_.async_wait(asio::use_awaitable);
    } while (std::chrono::steady_clock::now() < impatient_from);
    log_->warning("told twice to stop: ending at once");
    io_->stop();
  }

 private:
  asio::awaitable<void> stop() {
    co_await sidecar_->stop();
    io_->stop();
  }

  asio::io_context* io_;
  Sidecar* sidecar_;
  const base::Log* log_;
  asio::signal_set signals_;
};

/// Only returns where it can't begin to serve.
int serve(const Configuration& configuration) {
  const base::SystemClock clock;
  const base::Log log(clock, configuration.log_level);
  // One thread; the resolver's own only posts.
  asio::io_context io(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO);
  Sidecar sidecar(io.get_executor(), configuration, clock, log);
  const auto ports = sidecar.start();
  if (!ports) {
    log.error(ports.error());
    return kFailed;
  }
  Stopper stopper(io, sidecar, log);
  asio::co_spawn(io, stopper.wait(), asio::detached);
  log.info("serving", {{"version", kVersion},
                       {"identity", configuration.identities.front()},
                       {"smtp_port", ports->smtp},
                       {"admin_port", ports->admin}});
  shrink_footprint();
  io.run();
  sidecar.name_left_behind();
  log.info("stopped");
  // What is still under way refers to all of the above and would be taken apart after it. The kernel takes everything
  // back at once, and until then a late signal changes nothing.
  std::_Exit(kDone);
}

}  // namespace

int run(std::span<const std::string_view> arguments) {
  ::signal(SIGPIPE, SIG_IGN);
  const auto command = parse_command(arguments);
  if (!command) return say(kWrongUse, "mail-sidecar: " + command.error() + "\n\n" + usage());
  switch (command->action) {
    case Command::Action::Version:
      return say(kDone, kVersion);
    case Command::Action::Help:
      return say(kDone, usage());
    case Command::Action::Probe:
      return probe_once(command->page);
    case Command::Action::Serve:
      break;
  }
  keep_footprint_small();
  keep_secrets_in();
  allow_descriptors();
  const auto configuration = read_configuration(process_environment);
  if (!configuration) return say(kWrongUse, "mail-sidecar: " + configuration.error());
  return serve(*configuration);
}

}  // namespace mailid::app
