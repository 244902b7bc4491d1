#include "common/net/timer.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/event_loop.hpp"
#include "tests/fakes/fake_timer.hpp"

namespace mailid::net {
namespace {

using namespace std::chrono_literals;

class WaitingTest : public testing::Test {
 protected:
  /// Begins to wait; the result is there once the wait has ended.
  void wait_for(Wakeup& wakeup, base::Duration patience) {
    auto keep = [this](const std::exception_ptr&, bool result) { woken_ = result; };
    asio::co_spawn(loop_.executor(), wakeup.wait(timer_, timer_.now() + patience), std::move(keep));
    loop_.poll();
  }

  fakes::EventLoop loop_;
  fakes::FakeTimer timer_;
  Wakeup wakeup_{loop_.executor()};
  std::optional<bool> woken_;
};

TEST_F(WaitingTest, EndsWhenItsTimeHasCome) {
  bool ended = false;
  auto keep = [&ended](const std::exception_ptr&) { ended = true; };
  asio::co_spawn(loop_.executor(), timer_.wait_for(10s), std::move(keep));
  loop_.poll();
  timer_.advance(9'999ms);
  loop_.poll();
  EXPECT_FALSE(ended);
  timer_.advance(1ms);
  loop_.poll();
  EXPECT_TRUE(ended);
}

TEST_F(WaitingTest, EndsAtOnceWhereItsTimeIsPast) {
  loop_.run(timer_.wait_until(timer_.now() - 1s));
  EXPECT_EQ(timer_.waiting(), 0U);
}

TEST_F(WaitingTest, SaysThatItWasWoken) {
  wait_for(wakeup_, 10s);
  wakeup_.wake();
  loop_.poll();
  EXPECT_EQ(woken_, true);
  EXPECT_EQ(timer_.waiting(), 0U);
}

TEST_F(WaitingTest, SaysThatNobodyCameInTime) {
  wait_for(wakeup_, 10s);
  timer_.advance(10s);
  loop_.poll();
  EXPECT_EQ(woken_, false);
}

TEST_F(WaitingTest, RemembersACallThatCameBefore) {
  wakeup_.wake();
  wait_for(wakeup_, 10s);
  EXPECT_EQ(woken_, true);
}

TEST_F(WaitingTest, RemembersACallOnlyOnce) {
  wakeup_.wake();
  wakeup_.wake();
  wait_for(wakeup_, 10s);
  woken_.reset();
  wait_for(wakeup_, 10s);
  EXPECT_EQ(woken_, std::nullopt);
  timer_.advance(10s);
  loop_.poll();
  EXPECT_EQ(woken_, false);
}

TEST_F(WaitingTest, CountsACallAtTheLastMomentAsACall) {
  wait_for(wakeup_, 10s);
  timer_.advance(10s);
  wakeup_.wake();
  loop_.poll();
  EXPECT_EQ(woken_, true);
}

TEST(SystemTimer, RingsAfterTheCallHasReturned) {
  fakes::EventLoop loop;
  SystemTimer timer(loop.executor());
  bool rung = false;
  const auto alarm = timer.set_alarm(timer.now(), [&rung] { rung = true; });
  EXPECT_FALSE(rung);
  loop.run_until([&rung] { return rung; });
}

TEST(SystemTimer, IsSilentOnceItsAlarmHasEnded) {
  fakes::EventLoop loop;
  SystemTimer timer(loop.executor());
  bool silenced_rang = false;
  bool other_rang = false;
  std::unique_ptr<Timer::Alarm> silenced;
  // Both are due in the same turn, and the first ends the second while its handler is queued.
  const auto now = timer.now();
  const auto first = timer.set_alarm(now, [&] {
    other_rang = true;
    silenced.reset();
  });
  silenced = timer.set_alarm(now, [&] { silenced_rang = true; });
  loop.run_until([&other_rang] { return other_rang; });
  loop.poll();
  EXPECT_FALSE(silenced_rang);
}

TEST(SystemTimer, LetsAnAlarmEndItselfWhileItRings) {
  fakes::EventLoop loop;
  SystemTimer timer(loop.executor());
  bool rung = false;
  std::unique_ptr<Timer::Alarm> alarm;
  alarm = timer.set_alarm(timer.now(), [&] {
    alarm.reset();
    rung = true;
  });
  loop.run_until([&rung] { return rung; });
  EXPECT_EQ(alarm, nullptr);
}

}  // namespace
}  // namespace mailid::net
