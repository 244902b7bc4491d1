#include "operator/kube/work_queue.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/event_loop.hpp"
#include "tests/fakes/fake_timer.hpp"

namespace mailid::kube {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A queue with workers that write down what they get and end their work when the test says so.
class WorkQueueTest : public testing::Test {
 protected:
  asio::awaitable<void> work() {
    while (const auto key = co_await queue_.get()) got_.push_back(*key);
    ++ended_;
  }

  void start_worker() {
    asio::co_spawn(loop_.context(), work(), asio::detached);
    loop_.poll();
  }

  /// What the workers got since the last look.
  std::vector<std::string> got() {
    loop_.poll();
    return std::exchange(got_, {});
  }

  void advance(base::Duration by) {
    timer_.advance(by);
    loop_.poll();
  }

  double counted(std::string_view name) {
    return metrics_.value(name, {{"name", "identity"}, {"controller", "identity"}});
  }

  fakes::EventLoop loop_;
  fakes::FakeTimer timer_;
  base::Metrics metrics_;
  WorkQueue queue_{loop_.executor(), timer_, metrics_, "identity"};
  std::vector<std::string> got_;
  int ended_ = 0;
};

TEST_F(WorkQueueTest, GivesKeysInTheOrderTheyCame) {
  queue_.add("a");
  queue_.add("b");
  start_worker();
  EXPECT_THAT(got(), ElementsAre("a", "b"));
}

TEST_F(WorkQueueTest, HoldsAKeyOnce) {
  queue_.add("a");
  queue_.add("a");
  EXPECT_EQ(queue_.size(), 1);
  start_worker();
  EXPECT_THAT(got(), ElementsAre("a"));
}

TEST_F(WorkQueueTest, WakesAWorkerThatWaits) {
  start_worker();
  queue_.add("a");
  EXPECT_THAT(got(), ElementsAre("a"));
}

TEST_F(WorkQueueTest, GivesAKeyThatIsBeingWorkedOnToNobodyElse) {
  start_worker();
  start_worker();
  queue_.add("a");
  EXPECT_THAT(got(), ElementsAre("a"));
  queue_.add("a");
  EXPECT_THAT(got(), IsEmpty());
  queue_.done("a");
  EXPECT_THAT(got(), ElementsAre("a"));
}

TEST_F(WorkQueueTest, ForgetsAKeyThatIsDone) {
  start_worker();
  queue_.add("a");
  got();
  queue_.done("a");
  EXPECT_THAT(got(), IsEmpty());
}

TEST_F(WorkQueueTest, GivesADelayedKeyWhenItsTimeHasCome) {
  start_worker();
  queue_.add_after("a", 10s);
  advance(9s);
  EXPECT_THAT(got(), IsEmpty());
  advance(1s);
  EXPECT_THAT(got(), ElementsAre("a"));
}

TEST_F(WorkQueueTest, TakesTheEarliestOfSeveralDelays) {
  start_worker();
  queue_.add_after("a", 10s);
  queue_.add_after("a", 2s);
  queue_.add_after("a", 30s);
  advance(2s);
  EXPECT_THAT(got(), ElementsAre("a"));
  queue_.done("a");
  advance(60s);
  EXPECT_THAT(got(), IsEmpty());
}

TEST_F(WorkQueueTest, GivesAKeyWithoutADelayAtOnce) {
  start_worker();
  queue_.add_after("a", 0s);
  EXPECT_THAT(got(), ElementsAre("a"));
}

TEST_F(WorkQueueTest, WaitsTwiceAsLongAfterEachFailure) {
  start_worker();
  for (const auto delay : {5ms, 10ms, 20ms, 40ms}) {
    queue_.add_rate_limited("a");
    advance(delay - 1ms);
    EXPECT_THAT(got(), IsEmpty()) << delay.count();
    advance(1ms);
    EXPECT_THAT(got(), ElementsAre("a"));
    queue_.done("a");
  }
  EXPECT_EQ(queue_.failures("a"), 4);
}

TEST_F(WorkQueueTest, BeginsAnewAfterAKeyWasWell) {
  queue_.add_rate_limited("a");
  queue_.add_rate_limited("a");
  queue_.forget("a");
  EXPECT_EQ(queue_.failures("a"), 0);
}

TEST_F(WorkQueueTest, LetsEveryWorkerEndAtShutDown) {
  start_worker();
  start_worker();
  queue_.add_after("a", 1s);
  queue_.shut_down();
  queue_.add("b");
  advance(2s);
  EXPECT_THAT(got(), IsEmpty());
  EXPECT_EQ(ended_, 2);
}

TEST_F(WorkQueueTest, ShowsWhatItDoesAsControllerRuntimeNamesIt) {
  queue_.add("a");
  EXPECT_EQ(counted("workqueue_depth"), 1);
  advance(2s);
  start_worker();
  got();
  EXPECT_EQ(counted("workqueue_depth"), 0);
  EXPECT_EQ(counted("workqueue_adds_total"), 1);
  advance(3s);
  queue_.refresh_metrics();
  EXPECT_EQ(counted("workqueue_unfinished_work_seconds"), 3);
  EXPECT_EQ(counted("workqueue_longest_running_processor_seconds"), 3);
  queue_.done("a");
  queue_.add_after("a", 1s);
  EXPECT_EQ(counted("workqueue_retries_total"), 1);
  const auto page = metrics_.render();
  EXPECT_THAT(page,
              HasSubstr(R"(workqueue_queue_duration_seconds_sum{name="identity",controller="identity"} 2)"));
  EXPECT_THAT(page,
              HasSubstr(R"(workqueue_work_duration_seconds_sum{name="identity",controller="identity"} 3)"));
}

TEST(RateLimiter, NeverWaitsLongerThanItsLongest) {
  RateLimiter limiter({});
  base::Duration delay{};
  for (int i = 0; i < 64; ++i) delay = limiter.next("a", base::SteadyTime(std::chrono::hours(i)));
  EXPECT_EQ(delay, 1'000s);
}

TEST(RateLimiter, SlowsAllKeysTogetherAfterABurst) {
  RateLimiter limiter({});
  const base::SteadyTime now(1h);
  base::Duration last{};
  for (int i = 0; i < 100; ++i) last = limiter.next(std::to_string(i), now);
  EXPECT_EQ(last, 5ms);
  EXPECT_EQ(limiter.next("100", now), 100ms);
  EXPECT_EQ(limiter.next("101", now), 200ms);
  EXPECT_EQ(limiter.next("102", now + 1h), 5ms);
}

}  // namespace
}  // namespace mailid::kube
