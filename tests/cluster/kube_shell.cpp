// A program for tests: does with operator/kube what the lines on its standard input say, and says what came of it.
//
//   get PATH | create COLLECTION JSON | patch PATH JSON | apply PATH MANAGER JSON     ->  `= 200` or `= CODE REASON`
//   follow COLLECTION OBJECTS_A_PAGE     ->  `+ ns/name`, `~ ns/name`, `- ns/name`, `synced`, for ever
//
// It ends with its input. What the reflector logs goes to standard error.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <unistd.h>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <nlohmann/json.hpp>

#include "common/base/log.hpp"
#include "operator/kube/config.hpp"
#include "operator/kube/cpprest_transport.hpp"
#include "operator/kube/reflector.hpp"

namespace mailid {
namespace {

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

/// Cuts the next word off a line.
std::string word(std::string& line) {
  const auto space = line.find(' ');
  auto first = line.substr(0, space);
  line = space == std::string::npos ? std::string() : line.substr(space + 1);
  return first;
}

class Teller final : public kube::WatchHandler {
 public:
  void on_event(kube::WatchEvent event) override {
    const auto object = nlohmann::json::parse(event.object);
    const auto& metadata = object["metadata"];
    constexpr std::string_view kMarks = "+~-";
    say(std::string(1, kMarks[static_cast<std::size_t>(event.type)]) + ' ' + metadata.value("namespace", "") +
        '/' + metadata.value("name", ""));
  }
  void on_synced() override { say("synced"); }
};

class Shell {
 public:
  Shell(asio::io_context& io, const kube::Config& config)
      : io_(&io),
        timer_(io.get_executor()),
        transport_(timer_, config),
        client_(transport_, config.token.clone(), "api", timer_, random_, metrics_),
        input_(io, ::dup(STDIN_FILENO)) {}

  asio::awaitable<void> run() {
    std::string input;
    for (;;) {
      error_code ended;
      const auto size = co_await asio::async_read_until(input_, asio::dynamic_buffer(input), '\n',
                                                        asio::redirect_error(asio::use_awaitable, ended));
      if (ended) break;
      auto line = input.substr(0, size - 1);
      input.erase(0, size);
      co_await obey(std::move(line));
    }
    io_->stop();
  }

 private:
  asio::awaitable<void> obey(std::string line) {
    const auto verb = word(line);
    auto target = word(line);
    if (verb == "follow") {
      kube::ReflectorOptions options{std::move(target), "", std::stoul(line)};
      reflectors_.push_back(std::make_unique<kube::Reflector>(io_->get_executor(), client_, timer_, random_,
                                                              log_, teller_, std::move(options)));
      asio::co_spawn(*io_, reflectors_.back()->run(), asio::detached);
      co_return;
    }
    auto answer = co_await ask(verb, std::move(target), std::move(line));
    say(answer ? "= 200" : "= " + std::to_string(answer.error().code) + ' ' + answer.error().reason);
    if (!answer) log_.info("refused", {{"detail", answer.error().message}});
  }

  asio::awaitable<kube::Result<std::string>> ask(std::string verb, std::string target, std::string rest) {
    if (verb == "create") return client_.create(std::move(target), std::move(rest));
    if (verb == "patch") return client_.json_patch(std::move(target), std::move(rest));
    if (verb != "apply") return client_.get(std::move(target));
    auto manager = word(rest);
    return client_.apply(std::move(target), std::move(rest), std::move(manager));
  }

  asio::io_context* io_;
  net::SystemTimer timer_;
  base::SystemClock clock_;
  base::Log log_{clock_};
  base::SystemRandom random_;
  base::Metrics metrics_;
  kube::CpprestTransport transport_;
  kube::HttpClient client_;
  Teller teller_;
  std::vector<std::unique_ptr<kube::Reflector>> reflectors_;
  asio::posix::stream_descriptor input_;
};

}  // namespace
}  // namespace mailid

int main(int count, char** arguments) {
  using namespace mailid;
  kube::use_one_http_thread();
  const auto config = kube::find_config(count > 1 ? arguments[1] : "", kube::process_environment);
  if (!config) {
    say(config.error());
    return 1;
  }
  asio::io_context io{1};
  Shell shell(io, *config);
  asio::co_spawn(io, shell.run(), asio::detached);
  io.run();
  // As our programs end: what the library still has in hand is nobody's to free.
  std::_Exit(0);
}
