#pragma once

#include <functional>
#include <gmock/gmock.h>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "common/base/encoding.hpp"
#include "operator/kube/work_queue.hpp"
#include "operator/reconcile/controller.hpp"
#include "operator/reconcile/metrics.hpp"
#include "operator/reconcile/reconciler.hpp"
#include "tests/fakes/event_loop.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_cluster.hpp"
#include "tests/fakes/fake_login_probe.hpp"
#include "tests/fakes/fake_timer.hpp"
#include "tests/fakes/fake_token_client.hpp"

namespace mailid::reconcile {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// A cluster, a token endpoint, a relay and an operator in between, in a time of their own.
class WorldTest : public testing::Test {
 protected:
  using Json = nlohmann::json;

  static std::string identity_path(const std::string& name) {
    return "/apis/mailidentity.io/v1alpha1/namespaces/shop/mailidentities/" + name;
  }
  static std::string secret_path(const std::string& name) {
    return "/api/v1/namespaces/shop/secrets/" + name;
  }

  void TearDown() override { stop_operator(); }

  // What people do.

  static Json spec() {
    Json credential = {{"clientSecretRef", {{"name", "app"}, {"key", "client-secret"}}}};
    Json oauth2 = {
        {"tokenURL", "https://login.contoso.test/token"}, {"clientID", "app-1"}, {"credential", credential}};
    return {{"mailbox", "billing@contoso.test"},
            {"provider", {{"oauth2", std::move(oauth2)}}},
            {"smtp", {{"host", "smtp.contoso.test"}}}};
  }

  void create_identity(const std::string& name, Json spec) {
    Json object = {{"apiVersion", "mailidentity.io/v1alpha1"},
                   {"kind", "MailIdentity"},
                   {"metadata", {{"name", name}, {"namespace", "shop"}}},
                   {"spec", std::move(spec)}};
    cluster_.put(identity_path(name), std::move(object));
  }
  void create_identity(const std::string& name = "billing") { create_identity(name, spec()); }

  void put_secret(const std::string& name, const std::string& key, const std::string& value) {
    Json object = {{"apiVersion", "v1"},
                   {"kind", "Secret"},
                   {"metadata", {{"name", name}, {"namespace", "shop"}}},
                   {"data", {{key, base::base64_encode(value)}}}};
    cluster_.put(secret_path(name), std::move(object));
  }
  void create_credential(const std::string& value = "right") { put_secret("app", "client-secret", value); }

  void ask_refresh(const std::string& value) {
    cluster_.edit(identity_path("billing"), [&](Json& object) {
      object["metadata"]["annotations"]["mailidentity.io/refresh"] = value;
    });
  }

  // What the operator does.

  std::unique_ptr<Reconciler> make_reconciler() {
    Settings settings;
    settings.allowed_hosts = oauth::AllowedHosts({"*.contoso.test"});
    settings.smtp_ca = smtp_ca_;
    return std::make_unique<Reconciler>(
        Surroundings{cluster_, endpoint_, relay_, timer_, clock_, *metrics_, log_}, std::move(settings));
  }

  /// One reconcile by an operator that has just been started.
  Outcome reconcile_once(const std::string& name = "billing") {
    const auto process = make_reconciler();
    return loop_.run(process->reconcile("shop/" + name));
  }

  void start_operator() {
    metrics_ = std::make_unique<base::Metrics>();
    kube::RateLimits limits;
    limits.longest_delay = base::Duration(60'000);
    queue_ = std::make_unique<kube::WorkQueue>(loop_.executor(), timer_, *metrics_, "mailidentity", limits);
    reconciler_ = make_reconciler();
    controller_ =
        std::make_unique<Controller>(loop_.executor(), *queue_, *reconciler_, timer_, *metrics_, log_);
    controller_->start();
    cluster_.watch(controller_.get());
    loop_.poll();
  }

  void stop_operator() {
    if (!controller_) return;
    cluster_.watch(nullptr);
    loop_.run(controller_->stop(base::Duration::zero()));
    loop_.poll();
    controller_.reset();
    reconciler_.reset();
    queue_.reset();
  }

  void restart_operator() {
    stop_operator();
    start_operator();
  }

  /// Time goes by, second by second, and everybody does what they have to.
  void pass(base::Duration duration) {
    loop_.poll();
    for (auto left = duration; left > base::Duration::zero(); left -= seconds(1)) {
      clock_.advance(seconds(1));
      timer_.advance(seconds(1));
      loop_.poll();
    }
  }

  // What one sees.

  std::string secret_value(const std::string& key, const std::string& name = "billing") const {
    const auto& data = cluster_.at(secret_path(name + "-mail-token"))["data"];
    return base::base64_decode(data.at(key).get<std::string>()).value_or("not base64");
  }
  std::string token(const std::string& name = "billing") const { return secret_value("token", name); }
  bool has_token(const std::string& name = "billing") const {
    return cluster_.has(secret_path(name + "-mail-token"));
  }

  Json status(const std::string& name = "billing") const {
    return cluster_.at(identity_path(name)).value("status", Json::object());
  }

  /// `True TokenIssued`, or `-` where there is no such condition.
  std::string condition(const std::string& type, const std::string& name = "billing") const {
    for (const auto& each : status(name).value("conditions", Json::array())) {
      if (each["type"] == type)
        return each["status"].get<std::string>() + " " + each["reason"].get<std::string>();
    }
    return "-";
  }
  std::string message(const std::string& type) const {
    for (const auto& each : status().value("conditions", Json::array())) {
      if (each["type"] == type) return each["message"];
    }
    return "-";
  }

  /// How many tokens were asked for since this was asked last.
  std::size_t new_calls() { return endpoint_.calls.size() - std::exchange(counted_, endpoint_.calls.size()); }

  fakes::EventLoop loop_;
  fakes::FakeClock clock_;
  fakes::FakeTimer timer_;
  fakes::FakeCluster cluster_;
  fakes::FakeTokenClient endpoint_{clock_};
  fakes::FakeLoginProbe relay_;
  std::unique_ptr<base::Metrics> metrics_ = described_metrics();
  std::string logged_;
  base::Log log_{clock_, base::LogLevel::Debug, [this](std::string_view line) { logged_ += line; }};
  std::string smtp_ca_;
  std::unique_ptr<kube::WorkQueue> queue_;
  std::unique_ptr<Reconciler> reconciler_;
  std::unique_ptr<Controller> controller_;

 private:
  static std::unique_ptr<base::Metrics> described_metrics() {
    auto made = std::make_unique<base::Metrics>();
    describe_metrics(*made);
    return made;
  }

  std::size_t counted_ = 0;
};

}  // namespace mailid::reconcile
