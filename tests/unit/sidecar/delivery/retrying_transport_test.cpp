#include "sidecar/delivery/retrying_transport.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/event_loop.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_random.hpp"
#include "tests/fakes/fake_timer.hpp"
#include "tests/fakes/fake_token_source.hpp"
#include "tests/fakes/fake_transport.hpp"

namespace mailid::delivery {
namespace {

using catalogue::Reason;
using std::chrono::milliseconds;
using std::chrono::seconds;

class RetryingTransportTest : public testing::Test {
 protected:
  /// Begins to send one message; the outcome is there once it has ended.
  std::shared_ptr<std::optional<Outcome>> send(base::Duration time = seconds(25),
                                               const char* identity = "billing") {
    auto outcome = std::make_shared<std::optional<Outcome>>();
    auto keep = [outcome](const std::exception_ptr& failure, Outcome result) {
      EXPECT_FALSE(failure);
      *outcome = std::move(result);
    };
    const auto& settings = identities_[identity] = fakes::FakeTokenSource::settings_of(identity);
    asio::co_spawn(loop_.executor(), retrying_.send(settings, message_, timer_.now() + time),
                   std::move(keep));
    loop_.poll();
    return outcome;
  }
  void pass(base::Duration time) {
    timer_.advance(time);
    loop_.poll();
  }
  std::size_t attempts() const { return transport_.sent().size(); }

  fakes::EventLoop loop_;
  fakes::FakeTimer timer_;
  fakes::FakeClock clock_;
  fakes::FakeRandom random_;
  fakes::FakeTransport transport_;
  base::Log log_{clock_, base::LogLevel::Error, [](std::string_view) {}};
  RetryingTransport retrying_{transport_, timer_, random_, log_};
  std::map<std::string, contract::Identity> identities_;
  fakes::FakeDisk disk_;
  spool::Body body_{disk_};
  server::Envelope envelope_{"billing@contoso.test", {"ann@x.test"}};
  Message message_{&envelope_, {}, &body_, {}};
};

TEST_F(RetryingTransportTest, SendsOnceWhatIsAccepted) {
  EXPECT_TRUE(std::holds_alternative<Accepted>(**send()));
  EXPECT_EQ(attempts(), 1U);
}

TEST_F(RetryingTransportTest, TriesAgainWhatIsPassing) {
  transport_.then(Refused{Reason::RelayClosed});
  transport_.then_refuse(Reason::RelayBusy, 451, "4.3.0", "later");
  const auto outcome = send();
  EXPECT_EQ(attempts(), 1U);
  pass(milliseconds(320));
  EXPECT_EQ(attempts(), 2U);
  pass(milliseconds(640));
  EXPECT_EQ(attempts(), 3U);
  EXPECT_TRUE(std::holds_alternative<Accepted>(outcome->value()));
}

TEST_F(RetryingTransportTest, GivesUpAtTheDeadlineWithTheLastRefusal) {
  for (int i = 0; i < 100; ++i) transport_.then_refuse(Reason::RelayBusy, 451, "4.3.0", "later");
  const auto outcome = send(seconds(25));
  for (int i = 0; i < 249; ++i) pass(milliseconds(100));
  ASSERT_TRUE(outcome->has_value());
  EXPECT_EQ(std::get<Refused>(**outcome).reply->text(), "later");
  EXPECT_GT(attempts(), 6U);
  EXPECT_LT(attempts(), 20U);
}

TEST_F(RetryingTransportTest, NeverTriesAgainWhatIsForGood) {
  transport_.then_refuse(Reason::MessageRejected, 554, "5.6.0", "no");
  EXPECT_EQ(std::get<Refused>(**send()).reason, Reason::MessageRejected);
  transport_.then_refuse(Reason::LoginRejected, 535, "5.7.3", "no");
  EXPECT_EQ(std::get<Refused>(**send()).reason, Reason::LoginRejected);
  EXPECT_EQ(attempts(), 2U);
}

TEST_F(RetryingTransportTest, NeverSendsAgainWhatMayHaveArrived) {
  transport_.then(Unknown{"reset"});
  EXPECT_TRUE(std::holds_alternative<Unknown>(**send()));
  pass(seconds(30));
  EXPECT_EQ(attempts(), 1U);
}

TEST_F(RetryingTransportTest, TriesALostLoginOnceMoreAndNoMore) {
  for (int i = 0; i < 3; ++i) {
    transport_.then_refuse(Reason::NotAuthenticated, 530, "5.7.57", "not authenticated");
  }
  const auto outcome = send();
  pass(seconds(10));
  EXPECT_EQ(attempts(), 2U);
  EXPECT_EQ(std::get<Refused>(outcome->value()).reason, Reason::NotAuthenticated);
}

TEST_F(RetryingTransportTest, SlowsTheWholeIdentityDownForTheRate) {
  transport_.then_refuse(Reason::RelayConnectionLimit, 432, "4.3.2", "too many");
  const auto first = send();
  const auto second = send();
  EXPECT_EQ(attempts(), 1U) << "another message would only add to it";
  pass(seconds(5));
  EXPECT_EQ(attempts(), 3U);
  EXPECT_TRUE(std::holds_alternative<Accepted>(first->value()));
  EXPECT_TRUE(std::holds_alternative<Accepted>(second->value()));
}

TEST_F(RetryingTransportTest, LetsOtherIdentitiesPassMeanwhile) {
  transport_.then_refuse(Reason::RelayConnectionLimit, 432, "4.3.2", "too many");
  const auto slow = send();
  EXPECT_TRUE(std::holds_alternative<Accepted>(**send(seconds(25), "alerts")));
  EXPECT_FALSE(slow->has_value());
}

TEST_F(RetryingTransportTest, AnswersWithTheRelaysWordsWhereTheBreakOutlastsTheDeadline) {
  transport_.then_refuse(Reason::RelayRateLimit, 421, "4.4.2", "slow down");
  const auto first = send();
  const auto hurried = send(seconds(1));
  ASSERT_TRUE(hurried->has_value());
  EXPECT_EQ(std::get<Refused>(**hurried).reply->text(), "slow down");
  EXPECT_EQ(attempts(), 1U);
}

TEST_F(RetryingTransportTest, PrefersTheRelaysWordsToATimeThatRanOut) {
  net::Wakeup gate(loop_.executor());
  transport_.then_refuse(Reason::RelayBusy, 451, "4.3.0", "later");
  transport_.then(Refused{Reason::RelayTimeout});
  const auto outcome = send(seconds(2));
  transport_.hold(gate, timer_);
  pass(seconds(1));
  EXPECT_EQ(attempts(), 2U);
  pass(seconds(1));
  gate.wake();
  loop_.poll();
  EXPECT_EQ(std::get<Refused>(outcome->value()).reply->text(), "later");
}

}  // namespace
}  // namespace mailid::delivery
