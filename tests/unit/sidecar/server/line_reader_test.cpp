#include "sidecar/server/line_reader.hpp"

#include <gtest/gtest.h>

namespace mailid::server {
namespace {

TEST(LineReader, TakesALineAndLeavesTheRest) {
  LineReader reader;
  EXPECT_EQ(reader.feed("NOOP\r\nRSET\r\n"), 6U);
  ASSERT_TRUE(reader.complete());
  EXPECT_EQ(reader.line(), "NOOP");
}

TEST(LineReader, TakesLfAlone) {
  LineReader reader;
  reader.feed("NOOP\n");
  EXPECT_EQ(reader.line(), "NOOP");
}

TEST(LineReader, KeepsACarriageReturnInsideTheLine) {
  LineReader reader;
  reader.feed("NO\rOP\r\r\n");
  EXPECT_EQ(reader.line(), "NO\rOP\r");
}

TEST(LineReader, ReadsTheSameOctetByOctet) {
  LineReader reader;
  for (const char c : std::string_view("EHLO app\r")) {
    EXPECT_EQ(reader.feed({&c, 1}), 1U);
    EXPECT_FALSE(reader.complete());
  }
  reader.feed("\n");
  EXPECT_EQ(reader.line(), "EHLO app");
}

TEST(LineReader, TakesTheLongestLineAndNoLonger) {
  for (const std::string_view end : {"\r\n", "\n"}) {
    for (const std::size_t piece : {1UL, 100UL, 100'000UL}) {
      for (const std::size_t surplus : {0UL, 1UL, 2UL, 5000UL}) {
        const auto text = std::string(LineReader::kMaxLine + surplus, 'x') + std::string(end);
        LineReader reader;
        for (std::size_t at = 0; at < text.size(); at += piece) {
          reader.feed(std::string_view(text).substr(at, piece));
        }
        ASSERT_TRUE(reader.complete());
        EXPECT_EQ(reader.too_long(), surplus > 0) << surplus << " in pieces of " << piece;
        EXPECT_EQ(reader.line().size(), surplus > 0 ? 0 : LineReader::kMaxLine);
      }
    }
  }
}

TEST(LineReader, IsReadyForTheNextLine) {
  LineReader reader;
  reader.feed(std::string(5000, 'x') + "\n");
  reader.next();
  EXPECT_TRUE(reader.empty());
  EXPECT_FALSE(reader.too_long());
  reader.feed("RSET\r\n");
  EXPECT_EQ(reader.line(), "RSET");
}

}  // namespace
}  // namespace mailid::server
