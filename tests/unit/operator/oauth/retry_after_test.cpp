#include "operator/oauth/retry_after.hpp"

#include <gtest/gtest.h>

#include "common/base/encoding.hpp"

namespace mailid::oauth {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const base::Time kNow = *base::parse_rfc3339("1994-11-06T08:49:00Z");

TEST(RetryAfter, IsSeconds) {
  EXPECT_EQ(parse_retry_after("0", kNow), seconds(0));
  EXPECT_EQ(parse_retry_after("60", kNow), seconds(60));
}

TEST(RetryAfter, IsADate) {
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kNow), seconds(37));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kNow + std::chrono::milliseconds(300)),
            seconds(37));
}

TEST(RetryAfter, IsNeverInThePast) {
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", kNow), seconds(0));
}

TEST(RetryAfter, IsNeverMoreThanADay) {
  EXPECT_EQ(parse_retry_after("86401", kNow), hours(24));
  EXPECT_EQ(parse_retry_after("99999999999999999999999", kNow), hours(24));
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 2094 08:49:37 GMT", kNow), hours(24));
}

TEST(RetryAfter, IsNothingWhereItIsNeither) {
  for (const auto* value :
       {"", "-1", "1.5", "soon", "60 ", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 0x Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(parse_retry_after(value, kNow), std::nullopt) << value;
  }
}

}  // namespace
}  // namespace mailid::oauth
