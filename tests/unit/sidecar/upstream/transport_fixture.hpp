#pragma once

#include <gmock/gmock.h>

#include "sidecar/upstream/relay_transport.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_disk.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/fake_timer.hpp"
#include "tests/fakes/fake_token_source.hpp"
#include "tests/fakes/scripted_relay.hpp"

namespace mailid::upstream {

/// A message that lives as long as it is under way.
struct Letter {
  explicit Letter(spool::Disk& disk) : body(disk) {
    envelope.sender = "billing@contoso.test";
    envelope.recipients = {"ann@example.test"};
  }
  server::Envelope envelope;
  spool::Body body;
  delivery::Message message{&envelope, "Received: by us\r\n", &body};
};

/// The transport of one identity, `billing`, and the relay that it knows.
class TransportTest : public testing::Test {
 protected:
  TransportTest() {
    resolver_.put_loopback("relay.test", relay_.port());
    settings_.ca_bundle = relay_.authority().pem();
    rotate("token");
  }

  /// The identity has this token from now on.
  void rotate(const std::string& token) { tokens_.put(settings_, token); }

  std::shared_ptr<Letter> letter(const std::string& text = "Subject: hello\r\n\r\nHello.\r\n") {
    auto letter = std::make_shared<Letter>(disk_);
    EXPECT_TRUE(letter->body.append(text));
    return letter;
  }

  base::SteadyTime deadline() const { return timer_.now() + std::chrono::seconds(20); }

  /// Begins to send; the letter lives at least as long as that takes.
  fakes::EventLoop::Place<delivery::Outcome> begin(const std::shared_ptr<Letter>& letter) {
    letters_.push_back(letter);
    return loop_.begin(transport_.send(settings_, letter->message, deadline()));
  }
  fakes::EventLoop::Place<delivery::Outcome> begin() { return begin(letter()); }

  delivery::Outcome send(const std::shared_ptr<Letter>& letter) { return loop_.wait_for(begin(letter)); }
  delivery::Outcome send() { return send(letter()); }

  /// Begins to send and waits until the relay is held at `step`.
  fakes::EventLoop::Place<delivery::Outcome> begin_until(const std::string& step,
                                                         const std::shared_ptr<Letter>& letter) {
    relay_.hold(step);
    auto place = begin(letter);
    loop_.run_until([&] { return relay_.held(step) > 0; });
    return place;
  }
  fakes::EventLoop::Place<delivery::Outcome> begin_until(const std::string& step) {
    return begin_until(step, letter());
  }

  /// `250`, or the reason, or `Unknown`.
  static std::string words(const delivery::Outcome& outcome) {
    if (const auto* accepted = std::get_if<delivery::Accepted>(&outcome)) {
      return std::to_string(accepted->reply.code);
    }
    if (std::holds_alternative<delivery::Unknown>(outcome)) return "Unknown";
    return std::string(catalogue::code(std::get<delivery::Refused>(outcome).reason));
  }
  static const delivery::Refused& refused(const delivery::Outcome& outcome) {
    return std::get<delivery::Refused>(outcome);
  }

  double connections(const char* state) const {
    return metrics_.value("mail_sidecar_upstream_connections", {{"state", state}});
  }

  /// Lets both sides go on until the relay has `count` connections.
  void until_open(std::size_t count) {
    loop_.run_until([&] { return relay_.open() == count; });
  }

  fakes::EventLoop loop_;
  fakes::FakeTimer timer_;
  fakes::FakeClock clock_;
  fakes::FakeResolver resolver_;
  fakes::FakeTokenSource tokens_;
  fakes::FakeDisk disk_;
  base::Metrics metrics_;
  std::string logged_;
  base::Log log_{clock_, base::LogLevel::Debug, [this](std::string_view line) { logged_ += line; }};
  contract::Identity settings_ = fakes::FakeTokenSource::settings_of("billing");
  std::vector<std::shared_ptr<Letter>> letters_;
  fakes::ScriptedRelay relay_{loop_, timer_};
  RelayTransport transport_{loop_.executor(), resolver_, timer_, tokens_, metrics_, log_, {.ca_path = {}}};
};

}  // namespace mailid::upstream
