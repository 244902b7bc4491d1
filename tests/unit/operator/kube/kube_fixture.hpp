#pragma once

#include <gmock/gmock.h>
#include <optional>

#include "common/base/log.hpp"
#include "operator/kube/http_client.hpp"
#include "tests/fakes/event_loop.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_kube_transport.hpp"
#include "tests/fakes/fake_random.hpp"
#include "tests/fakes/fake_timer.hpp"

namespace mailid::kube {

/// A client whose transport and time are the test's.
class KubeTest : public testing::Test {
 protected:
  /// Moves the time by steps, so that what waits for each step can set its next alarm.
  void advance(base::Duration by, base::Duration step = base::Duration(500)) {
    for (base::Duration moved{0}; moved < by; moved += step) {
      loop_.poll();
      timer_.advance(step);
    }
    loop_.poll();
  }

  /// Runs one request while the time goes on by seconds.
  Result<std::string> run(asio::awaitable<Result<std::string>> request) {
    std::optional<Result<std::string>> result;
    asio::co_spawn(loop_.context(), keep(std::move(request), result), asio::detached);
    for (int i = 0; !result && i < 200; ++i) advance(base::Duration(1000));
    return std::move(result.value());
  }

  fakes::EventLoop loop_;
  fakes::FakeTimer timer_;
  fakes::FakeRandom random_;
  fakes::FakeClock clock_;
  std::string logged_;
  base::Log log_{clock_, base::LogLevel::Info, [this](std::string_view line) { logged_ += line; }};
  base::Metrics metrics_;
  fakes::FakeKubeTransport transport_{loop_.executor()};
  HttpClient client_{
      transport_, Material::from_text(base::Secret("the-token")), "api.test:6443", timer_, random_, metrics_};

 private:
  static asio::awaitable<void> keep(asio::awaitable<Result<std::string>> request,
                                    std::optional<Result<std::string>>& result) {
    result.emplace(co_await std::move(request));
  }
};

}  // namespace mailid::kube
