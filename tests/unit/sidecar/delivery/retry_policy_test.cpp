#include "sidecar/delivery/retry_policy.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fake_random.hpp"

namespace mailid::delivery {
namespace {

using catalogue::Class;
using catalogue::Reason;

TEST(WhenAgain, IsSoonForWhatPassesByItself) {
  for (const auto reason :
       {Reason::RelayUnreachable, Reason::RelayClosed, Reason::RelayBusy, Reason::LoginUnavailable}) {
    EXPECT_EQ(when_again(reason), Again::Soon) << catalogue::code(reason);
  }
}

TEST(WhenAgain, IsSlowlyForTooMuchTooFast) {
  EXPECT_EQ(when_again(Reason::RelayConnectionLimit), Again::Slowly);
  EXPECT_EQ(when_again(Reason::RelayRateLimit), Again::Slowly);
}

TEST(WhenAgain, IsNeverForWhatOutlastsTheApp) {
  for (const auto reason : {Reason::RelayDailyLimit, Reason::RecipientRateLimit, Reason::LoginThrottled,
                            Reason::TokenMissing, Reason::TokenExpired, Reason::DeliveryStateUnknown}) {
    EXPECT_EQ(when_again(reason), Again::Never) << catalogue::code(reason);
  }
}

TEST(WhenAgain, IsNeverWhereAPersonOrTheMessageMustChange) {
  for (const auto& entry : catalogue::entries()) {
    if (entry.reason == Reason::NotAuthenticated) continue;
    if (entry.cls == Class::Transient || entry.cls == Class::Rate) continue;
    EXPECT_EQ(when_again(entry.reason), Again::Never) << entry.code;
  }
}

TEST(WhenAgain, IsOnceForAConnectionThatLostItsLogin) {
  EXPECT_EQ(when_again(Reason::NotAuthenticated), Again::Once);
}

TEST(BackOff, GrowsToALimitAndMovesByAQuarter) {
  fakes::FakeRandom random;
  const auto wait = [&random](Again again, unsigned attempts) {
    return static_cast<double>(back_off(again, attempts, random).count());
  };
  for (int i = 0; i < 100; ++i) {
    EXPECT_NEAR(wait(Again::Soon, 1), 250, 63);
    EXPECT_NEAR(wait(Again::Soon, 3), 1000, 250);
    EXPECT_NEAR(wait(Again::Soon, 1000), 4000, 1000);
    EXPECT_NEAR(wait(Again::Slowly, 1), 4000, 1000);
    EXPECT_NEAR(wait(Again::Slowly, 9), 16000, 4000);
  }
}

}  // namespace
}  // namespace mailid::delivery
