#include "operator/reconcile/schedule.hpp"

#include <gmock/gmock.h>

#include "operator/reconcile/endpoint_limiter.hpp"
#include "operator/reconcile/fingerprint.hpp"

namespace mailid::reconcile {
namespace {

using catalogue::Class;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr base::Time kIssued{std::chrono::sys_days(std::chrono::year(2026) / 11 / 24)};

TEST(NextRefresh, FallsAroundHalfOfTheLife) {
  for (std::uint64_t hash = 0; hash < 3'000; hash += 7) {
    const auto next = next_refresh(kIssued, kIssued + hours(1), hash);
    EXPECT_GE(next, kIssued + minutes(27));
    EXPECT_LE(next, kIssued + minutes(33));
  }
}

TEST(NextRefresh, IsTheSameForTheSameIdentity) {
  EXPECT_EQ(next_refresh(kIssued, kIssued + hours(1), 42), next_refresh(kIssued, kIssued + hours(1), 42));
}

TEST(NextRefresh, SpreadsIdentitiesThatWereMadeTogether) {
  EXPECT_GT(next_refresh(kIssued, kIssued + hours(1), 1'000) - next_refresh(kIssued, kIssued + hours(1), 10),
            minutes(5));
}

TEST(NextRefresh, OfATokenThatNeverLivedIsNow) {
  EXPECT_EQ(next_refresh(kIssued, kIssued, 5), kIssued);
  EXPECT_EQ(next_refresh(kIssued, kIssued - hours(1), 5), kIssued);
}

TEST(NextRefresh, OfALifeOfAWeekDoesNotOverflow) {
  const auto next = next_refresh(kIssued, kIssued + hours(168), ~std::uint64_t{0});
  EXPECT_GT(next, kIssued + hours(70));
  EXPECT_LT(next, kIssued + hours(100));
}

/// Without its jitter of a tenth either way.
void expect_about(milliseconds delay, milliseconds wanted) {
  EXPECT_GE(delay, wanted * 9 / 10);
  EXPECT_LE(delay, wanted * 11 / 10);
}

TEST(RetryDelay, DoublesUpToALongest) {
  expect_about(retry_delay(Attempt::TokenRequest, Class::Transient, 1, 7), seconds(5));
  expect_about(retry_delay(Attempt::TokenRequest, Class::Transient, 2, 7), seconds(10));
  expect_about(retry_delay(Attempt::TokenRequest, Class::Transient, 4, 7), seconds(40));
  expect_about(retry_delay(Attempt::TokenRequest, Class::Transient, 4'000'000'000, 7), minutes(5));
}

TEST(RetryDelay, IsLongerWhereAPersonMustPutItRight) {
  expect_about(retry_delay(Attempt::TokenRequest, Class::Configuration, 1, 7), seconds(15));
  expect_about(retry_delay(Attempt::TokenRequest, Class::Configuration, 50, 7), minutes(10));
}

TEST(RetryDelay, IsShortWhereLookingCostsNothing) {
  expect_about(retry_delay(Attempt::Precondition, Class::Configuration, 1, 7), seconds(2));
  expect_about(retry_delay(Attempt::Precondition, Class::Configuration, 50, 7), minutes(1));
}

TEST(RetryDelay, DiffersBetweenIdentities) {
  EXPECT_NE(retry_delay(Attempt::Login, Class::Account, 3, 1),
            retry_delay(Attempt::Login, Class::Account, 3, 500));
}

TEST(Fingerprint, TellsPartsApart) {
  EXPECT_NE(fingerprint({"a", "bc"}), fingerprint({"ab", "c"}));
  EXPECT_NE(fingerprint({"a"}), fingerprint({"a", ""}));
}

TEST(Fingerprint, IsTheSameInEveryVersion) {
  // sha256("5:hello") begins with these octets; what is written into clusters must be found again.
  EXPECT_EQ(fingerprint({"hello"}), "a3a285698dc7dbfe");
}

class EndpointLimiterTest : public testing::Test {
 protected:
  std::optional<EndpointLimiter::Turn> enter(const std::string& endpoint = "a") {
    return limiter_.enter(endpoint, now_);
  }
  /// A call that takes no time; how long it had to wait.
  base::Duration call() { return enter().value().wait(); }

  EndpointLimiter limiter_{
      {.at_once = 2, .at_once_of_host = 5, .at_once_of_all = 6, .burst = 3, .interval = milliseconds(100)}};
  base::SteadyTime now_{hours(1)};
};

TEST_F(EndpointLimiterTest, LetsABurstThrough) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(call(), milliseconds(0));
}

TEST_F(EndpointLimiterTest, SpacesWhatComesAfterTheBurst) {
  for (int i = 0; i < 3; ++i) call();
  EXPECT_EQ(call(), milliseconds(100));
  EXPECT_EQ(call(), milliseconds(200));
  now_ += seconds(10);
  EXPECT_EQ(call(), milliseconds(0));
}

TEST_F(EndpointLimiterTest, HasNoMoreAtOnceThanAllowed) {
  const auto first = enter();
  {
    const auto second = enter();
    EXPECT_TRUE(second);
    EXPECT_FALSE(enter());
  }
  EXPECT_TRUE(enter());
}

TEST_F(EndpointLimiterTest, HasNoMoreOfOneHostAtOnceWhateverThePortAndPath) {
  std::vector<std::optional<EndpointLimiter::Turn>> turns;
  for (const auto* url : {"https://login.contoso.test/a", "https://login.contoso.test/a",
                          "https://login.contoso.test:8443/a", "HTTPS://Login.contoso.test/b"}) {
    turns.push_back(enter(url));
    EXPECT_TRUE(turns.back()) << url;
  }
  EXPECT_FALSE(enter("https://login.contoso.test:8443/a")) << "the last two are for those who have none";
  turns.push_back(enter("login.contoso.test:587"));
  EXPECT_TRUE(turns.back());
  EXPECT_FALSE(enter("https://login.contoso.test/c"));
  EXPECT_TRUE(enter("https://login.fabrikam.test/c"));
  turns.pop_back();
  EXPECT_TRUE(enter("https://login.contoso.test/c"));
}

TEST_F(EndpointLimiterTest, HasNoMoreOfAllHostsAtOnceThanAllowed) {
  std::vector<std::optional<EndpointLimiter::Turn>> turns;
  turns.reserve(6);
  for (int i = 0; i < 6; ++i) turns.push_back(enter("https://" + std::to_string(i) + ".contoso.test/"));
  EXPECT_TRUE(turns.back());
  EXPECT_FALSE(enter("https://other.contoso.test/"));
  turns.pop_back();
  EXPECT_TRUE(enter("https://other.contoso.test/"));
}

TEST_F(EndpointLimiterTest, LeavesOtherEndpointsAlone) {
  limiter_.pause("a", now_, seconds(30));
  EXPECT_FALSE(enter("a"));
  EXPECT_TRUE(enter("b"));
}

TEST_F(EndpointLimiterTest, PausesForAMinuteAtMost) {
  limiter_.pause("a", now_, hours(24));
  now_ += seconds(59);
  EXPECT_FALSE(enter());
  now_ += seconds(1);
  EXPECT_TRUE(enter());
}

}  // namespace
}  // namespace mailid::reconcile
