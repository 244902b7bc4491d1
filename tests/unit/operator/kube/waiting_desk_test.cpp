#include "operator/kube/waiting_desk.hpp"

#include <gmock/gmock.h>
#include <string>
#include <vector>

namespace mailid::kube {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class WaitingDeskTest : public testing::Test {
 protected:
  /// Somebody who writes down what arrives.
  std::uint64_t wait_as(const std::string& name) {
    return desk_.wait([this, name](std::string arrival) { called_.push_back(name + ": " + arrival); });
  }

  WaitingDesk<std::string> desk_;
  std::vector<std::string> called_;
};

TEST_F(WaitingDeskTest, CallsTheOneForWhomSomethingArrives) {
  wait_as("first");
  const auto second = wait_as("second");
  desk_.arrived(second, "a parcel");
  EXPECT_THAT(called_, ElementsAre("second: a parcel"));
}

TEST_F(WaitingDeskTest, CallsNobodyTwice) {
  const auto ticket = wait_as("first");
  desk_.arrived(ticket, "a parcel");
  desk_.arrived(ticket, "another");
  desk_.close("nothing more");
  EXPECT_THAT(called_, ElementsAre("first: a parcel"));
}

TEST_F(WaitingDeskTest, GivesAllWhoWaitSomethingElseWhenItCloses) {
  wait_as("first");
  wait_as("second");
  desk_.close("nothing more");
  EXPECT_THAT(called_, ElementsAre("first: nothing more", "second: nothing more"));
}

TEST_F(WaitingDeskTest, DropsWhatArrivesAfterItHasClosed) {
  const auto ticket = wait_as("first");
  desk_.close("nothing more");
  called_.clear();
  desk_.arrived(ticket, "a parcel");
  EXPECT_THAT(called_, IsEmpty());
}

}  // namespace
}  // namespace mailid::kube
