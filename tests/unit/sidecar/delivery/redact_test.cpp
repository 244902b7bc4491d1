#include "sidecar/delivery/redact.hpp"

#include <gtest/gtest.h>

namespace mailid::delivery {
namespace {

TEST(RedactAddresses, HidesEveryAddressInWords) {
  EXPECT_EQ(redact_addresses("<ann@x.test> unknown; not bob@y.test, or (c@z.test)"),
            "<a***@x.test> unknown; not b***@y.test, or (c***@z.test)");
}

TEST(RedactAddresses, LeavesOtherWordsAlone) {
  EXPECT_EQ(redact_addresses("Ok: queued as 4X7"), "Ok: queued as 4X7");
  EXPECT_EQ(redact_addresses(""), "");
}

TEST(RedactThese, HidesOnlyWhatIsNamed) {
  EXPECT_EQ(redact_these("OK <DM5PR01@prod.test> for ANN@x.test", {"ann@x.test"}),
            "OK <DM5PR01@prod.test> for A***@x.test");
}

}  // namespace
}  // namespace mailid::delivery
