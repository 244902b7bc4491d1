#include "sidecar/delivery/message_header.hpp"

#include <gmock/gmock.h>

#include "tests/fakes/fake_disk.hpp"

namespace mailid::delivery {
namespace {

using catalogue::Reason;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(ParseMessageHeader, FindsWhatMustNotBeAddedTwice) {
  const auto header = parse_message_header("Subject: x\r\ndate : today\r\nMESSAGE-ID:\t<1@x>\r\n");
  EXPECT_TRUE(header.has_date);
  EXPECT_TRUE(header.has_message_id);
  EXPECT_EQ(header.message_id, "<1@x>");
  EXPECT_FALSE(header.begins_with_text);
}

TEST(ParseMessageHeader, FindsNothingWhereNothingIs) {
  const auto header = parse_message_header("Subject: x\r\n");
  EXPECT_FALSE(header.has_date);
  EXPECT_FALSE(header.has_message_id);
  EXPECT_THAT(header.from, IsEmpty());
}

TEST(ParseMessageHeader, UnfoldsFrom) {
  EXPECT_THAT(parse_message_header("From: Billing\r\n <billing@x>\r\n\t(us)\r\nTo: a\r\n").from,
              ElementsAre("Billing <billing@x>\t(us)"));
}

TEST(ParseMessageHeader, UnfoldsAMessageIdOnALineOfItsOwn) {
  EXPECT_EQ(parse_message_header("Message-ID:\r\n <1@x>\r\n").message_id, "<1@x>");
}

TEST(ParseMessageHeader, FindsEveryFrom) {
  EXPECT_THAT(parse_message_header("From: a@x\r\nTo: c@x\r\nfrom:b@x\r\n").from, ElementsAre("a@x", "b@x"));
}

TEST(ParseMessageHeader, FindsAFromWithSpacesBeforeItsColon) {
  EXPECT_THAT(parse_message_header("From \t : a@x\r\n").from, ElementsAre("a@x"));
}

TEST(ParseMessageHeader, FindsAFromWhoseColonIsOnTheNextLine) {
  EXPECT_THAT(parse_message_header("Subject: x\r\nFrom\r\n : a@x\r\n").from, ElementsAre("a@x"));
  EXPECT_THAT(parse_message_header("From\r\n\t\r\n :\r\n a@x\r\n").from, ElementsAre("a@x"));
}

TEST(ParseMessageHeader, FindsAFromBehindALineThatIsNoField) {
  EXPECT_THAT(parse_message_header("Subject: x\r\nnonsense\r\n \r\nFrom: a@x\r\n").from, ElementsAre("a@x"));
}

TEST(ParseMessageHeader, DoesNotTakeAFoldedLineForAField) {
  EXPECT_THAT(parse_message_header("Subject: x\r\n From: a@x\r\n").from, IsEmpty());
}

TEST(ParseMessageHeader, DoesNotTakeOtherFieldsForFrom) {
  EXPECT_THAT(parse_message_header("Resent-From: a@x\r\nX-From: b@x\r\nFromage: c@x\r\n").from, IsEmpty());
}

TEST(ParseMessageHeader, EndsAtTheEmptyLine) {
  EXPECT_THAT(parse_message_header("Subject: x\r\n\r\nFrom: a@x\r\n").from, IsEmpty());
}

TEST(ParseMessageHeader, SeesAMessageThatIsOnlyText) {
  EXPECT_TRUE(parse_message_header("Hello\r\nFrom: a@x\r\n").begins_with_text);
  EXPECT_TRUE(parse_message_header(" From: a@x\r\n").begins_with_text);
  EXPECT_THAT(parse_message_header("Hello\r\nFrom: a@x\r\n").from, IsEmpty());
}

TEST(ParseMessageHeader, TakesAnEmptyHeaderForOne) {
  EXPECT_FALSE(parse_message_header("\r\n").begins_with_text);
  EXPECT_FALSE(parse_message_header("").begins_with_text);
}

class ReadHeader : public testing::Test {
 protected:
  catalogue::Result<std::string> read(std::string_view message) {
    spool::Body body(disk_);
    EXPECT_TRUE(body.append(message));
    return read_header(body);
  }
  fakes::FakeDisk disk_;
};

TEST_F(ReadHeader, StopsBeforeTheEmptyLine) {
  EXPECT_EQ(*read("A: 1\r\nB: 2\r\n\r\ntext\r\n"), "A: 1\r\nB: 2\r\n");
}

TEST_F(ReadHeader, IsTheEmptyLineWhereThereIsNoField) {
  EXPECT_EQ(*read("\r\ntext\r\n\r\n"), "\r\n");
}

TEST_F(ReadHeader, IsAllOfAMessageWithoutAnEmptyLine) {
  EXPECT_EQ(*read("A: 1\r\n"), "A: 1\r\n");
  EXPECT_EQ(*read(""), "");
}

TEST_F(ReadHeader, FindsTheEndWhereverItFallsBetweenTwoReads) {
  for (std::size_t size = 4080; size < 4112; ++size) {
    const auto header = "A: " + std::string(size, 'x') + "\r\n";
    EXPECT_EQ(*read(header + "\r\nFrom: not a field\r\n\r\n"), header);
  }
}

TEST_F(ReadHeader, RefusesOneWithoutEnd) {
  const auto refused = read("A: " + std::string(kMaxHeader, 'x') + "\r\n\r\n");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::MessageTooLarge);
}

TEST_F(ReadHeader, SaysWhatTheDiskSays) {
  spool::Body body(disk_);
  ASSERT_TRUE(body.append(std::string(100'000, 'x')));
  disk_.refuse_reads = true;
  EXPECT_EQ(read_header(body).error().reason, Reason::DiskFull);
}

}  // namespace
}  // namespace mailid::delivery
