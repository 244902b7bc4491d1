#include "common/smtp/dot_stuffing.hpp"

#include <gtest/gtest.h>

#include "tests/unit/common/smtp/pieces.hpp"

namespace mailid::smtp {
namespace {

std::string stuffed(const std::vector<std::string_view>& pieces) {
  DotStuffer stuffer;
  std::string wire;
  for (const auto piece : pieces) stuffer.write(piece, wire);
  stuffer.finish(wire);
  return wire;
}

std::string stuffed(std::string_view message) {
  return stuffed(std::vector{message});
}

TEST(DotStuffer, DoublesADotAtTheStartOfALine) {
  EXPECT_EQ(stuffed(".a\r\n..b\r\nc.\r\n.\r\n"), "..a\r\n...b\r\nc.\r\n..\r\n.\r\n");
}

TEST(DotStuffer, DoublesADotBehindALoneLineFeedToo) {
  EXPECT_EQ(stuffed("a\n.\r\nb\r\n"), "a\n..\r\nb\r\n.\r\n");
}

TEST(DotStuffer, EndsAMessageWithoutALineEnd) {
  EXPECT_EQ(stuffed("a"), "a\r\n.\r\n");
  EXPECT_EQ(stuffed("a\n"), "a\n\r\n.\r\n");
  EXPECT_EQ(stuffed("a\r"), "a\r\r\n.\r\n");
  EXPECT_EQ(stuffed("\n"), "\n\r\n.\r\n");
}

TEST(DotStuffer, EndsAnEmptyMessageWithTheDotAlone) {
  EXPECT_EQ(stuffed(""), ".\r\n");
}

TEST(DotStuffer, DoesNotCareWhereTheMessageIsCut) {
  constexpr std::string_view kMessage = "Subject: x\r\n\r\n.\r\n..\n.\r.\r\n\r\n.a\r\nlast.";
  const auto whole = stuffed(kMessage);
  for (const auto& pieces : ways_to_cut(kMessage)) EXPECT_EQ(stuffed(pieces), whole);
}

TEST(DotStuffer, LeavesNoEndOfDataInside) {
  for (const auto* smuggled : {"\r\n.\r\n", "\n.\n", "\n.\r\n", "\r\n.\n", "\n.\r"}) {
    const auto wire = stuffed("a" + std::string(smuggled) + "MAIL FROM:<x@example.test>\r\n");
    const auto inside = std::string_view(wire).substr(0, wire.size() - std::string_view(".\r\n").size());
    EXPECT_EQ(inside.find(smuggled), std::string::npos) << wire;
  }
}

}  // namespace
}  // namespace mailid::smtp
