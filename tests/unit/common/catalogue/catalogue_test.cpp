#include "common/catalogue/catalogue.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <map>
#include <set>
#include <sstream>
#include <vector>

namespace mailid::catalogue {
namespace {

using testing::HasSubstr;

TEST(Catalogue, GivesEveryReasonItsOwnCode) {
  std::set<std::string_view> codes;
  for (const Entry& known : entries()) EXPECT_TRUE(codes.insert(known.code).second) << known.code;
}

TEST(Catalogue, HoldsOneSentenceOfMessageAndACure) {
  for (const Entry& known : entries()) {
    EXPECT_FALSE(known.message.ends_with('.')) << known.code << ": context follows behind it";
    EXPECT_TRUE(known.cure.ends_with('.')) << known.code;
  }
}

TEST(Describe, PutsMessageContextAndCureTogether) {
  const std::string text =
      describe({Reason::CredentialKeyMissing, "Secret contoso-app has no key client-secret"});
  EXPECT_EQ(text, std::string(entry(Reason::CredentialKeyMissing).message) +
                      ": Secret contoso-app has no key client-secret. " +
                      std::string(entry(Reason::CredentialKeyMissing).cure));
}

TEST(Describe, LeavesOutAContextThatIsNotThere) {
  EXPECT_THAT(describe({Reason::DiskFull, ""}),
              testing::StartsWith("The sidecar has no room to hold the message. "));
}

/// docs/troubleshooting.md: what stands under each heading of the second level, in the file's order.
class Troubleshooting : public testing::Test {
 protected:
  Troubleshooting() {
    std::ifstream file(MAILID_SOURCE_DIR "/docs/troubleshooting.md");
    std::string line;
    while (std::getline(file, line)) {
      if (line.starts_with("## ")) {
        headings_.push_back(line.substr(3));
      } else if (!headings_.empty()) {
        sections_[headings_.back()] += line + "\n";
      }
    }
  }

  std::vector<std::string> headings_;
  std::map<std::string, std::string> sections_;
};

TEST_F(Troubleshooting, HasAHeadingForEveryEntryAndNoOtherInTheSameOrder) {
  std::vector<std::string> codes;
  for (const Entry& known : entries()) codes.emplace_back(known.code);
  EXPECT_EQ(headings_, codes);
}

TEST_F(Troubleshooting, SaysWhatOneSeesWhyWhatToDoAndHowToCheck) {
  for (const auto& [heading, section] : sections_) {
    for (const auto* part : {"**What you see:**", "**Cause:**", "**Cure:**", "**Check:**"}) {
      EXPECT_THAT(section, HasSubstr(part)) << heading;
    }
  }
}

}  // namespace
}  // namespace mailid::catalogue
