#include "sidecar/server/data_reader.hpp"

#include <gtest/gtest.h>
#include <ostream>
#include <random>

namespace mailid::server {
namespace {

using namespace std::string_literals;

struct Read {
  std::string message;
  std::string behind;
  bool ended = false;
  bool nul = false;
  bool operator==(const Read&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Read& read) {
  return out << testing::PrintToString(read.message) << (read.ended ? " ended, then " : " not ended")
             << testing::PrintToString(read.behind) << (read.nul ? " with NUL" : "");
}

/// Feeds pieces whose lengths `next_length` gives.
template <class Lengths>
Read read_in_pieces(std::string_view bytes, Lengths next_length) {
  DataReader reader;
  Read read;
  while (!bytes.empty() && !reader.ended()) {
    const auto piece = bytes.substr(0, next_length());
    bytes.remove_prefix(reader.feed(piece, read.message));
  }
  return {read.message, std::string(bytes), reader.ended(), reader.saw_nul()};
}

Read read_whole(std::string_view bytes) {
  return read_in_pieces(bytes, [] { return std::string_view::npos; });
}

std::string message_of(std::string_view bytes) {
  const auto read = read_whole(bytes);
  EXPECT_TRUE(read.ended) << testing::PrintToString(std::string(bytes));
  EXPECT_EQ(read.behind, "");
  return read.message;
}

TEST(DataReader, EndsAtADotOnALineOfItsOwn) {
  EXPECT_EQ(message_of("Hello\r\n.\r\n"), "Hello\r\n");
}

TEST(DataReader, TakesAnEmptyMessage) {
  EXPECT_EQ(message_of(".\r\n"), "");
}

TEST(DataReader, KeepsEmptyLinesAndEightBitOctets) {
  EXPECT_EQ(message_of("\r\n\r\na\xff\xc3\xbc\x85\x01\r\n\r\n.\r\n"),
            "\r\n\r\na\xff\xc3\xbc\x85\x01\r\n\r\n");
}

TEST(DataReader, TakesAwayTheDotThatTheClientPutInFront) {
  EXPECT_EQ(message_of("..\r\n...\r\n..a\r\n.b\r\na.\r\n.\r\n"), ".\r\n..\r\n.a\r\nb\r\na.\r\n");
}

TEST(DataReader, MakesCrlfOfABareLf) {
  EXPECT_EQ(message_of("a\nb\n\nc\r\n.\r\n"), "a\r\nb\r\n\r\nc\r\n");
}

TEST(DataReader, KeepsEveryDotBehindABareLf) {
  EXPECT_EQ(message_of("a\n..b\n.c\n.\r\nd\n.\n.\r\n.\r\n"), "a\r\n..b\r\n.c\r\n.\r\nd\r\n.\r\n.\r\n");
}

TEST(DataReader, MakesASpaceOfABareCr) {
  EXPECT_EQ(message_of("a\rb\r\r\n\rc\r\r\rd\r\n.\r\n"), "a b \r\n c   d\r\n");
}

TEST(DataReader, RemembersNul) {
  const auto read = read_whole("a\0b\r\n.\r\n"s);
  EXPECT_TRUE(read.ended);
  EXPECT_TRUE(read.nul);
}

TEST(DataReader, LeavesWhatIsBehindTheEnd) {
  const auto read = read_whole("a\r\n.\r\nQUIT\r\n");
  EXPECT_TRUE(read.ended);
  EXPECT_EQ(read.behind, "QUIT\r\n");
}

// The sequences that servers have taken for the end of data (https://smtpsmuggling.com/), here in the middle of a
// message: each must stay inside it, in a form that nobody can mistake further on.
struct Smuggling {
  std::string sequence;
  std::string becomes;
};

class SmuggledEnd : public testing::TestWithParam<Smuggling> {};

TEST_P(SmuggledEnd, StaysInsideTheMessage) {
  const auto& [sequence, becomes] = GetParam();
  const auto read = read_whole("one" + sequence + "MAIL FROM:<evil@contoso.test>\r\n.\r\n");
  EXPECT_TRUE(read.ended);
  EXPECT_EQ(read.behind, "");
  EXPECT_EQ(read.message, "one" + becomes + "MAIL FROM:<evil@contoso.test>\r\n");
  EXPECT_EQ(read.nul, sequence.find('\0') != std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(DataReader, SmuggledEnd,
                         testing::Values(Smuggling{"\n.\n", "\r\n.\r\n"},              //
                                         Smuggling{"\n.\r", "\r\n. "},                 //
                                         Smuggling{"\r.\n", " .\r\n"},                 //
                                         Smuggling{"\r.\r", " . "},                    //
                                         Smuggling{"\n.\r\n", "\r\n.\r\n"},            //
                                         Smuggling{"\r.\r\n", " .\r\n"},               //
                                         Smuggling{"\r\n.\n", "\r\n.\r\n"},            //
                                         Smuggling{"\r\n.\r", "\r\n "},                //
                                         Smuggling{"\r\n\0.\r\n"s, "\r\n.\r\n"},       //
                                         Smuggling{"\r\n.\0\r\n"s, "\r\n\r\n"},        //
                                         Smuggling{"\r\n.\r\r\n", "\r\n \r\n"},        //
                                         Smuggling{"\r\r\n.\r\r\n", " \r\n \r\n"},     //
                                         Smuggling{"\n\n.\n\n", "\r\n\r\n.\r\n\r\n"},  //
                                         Smuggling{"\r\n. \r\n", "\r\n \r\n"},         //
                                         Smuggling{"\r\n.\x0b\r\n", "\r\n\x0b\r\n"},   //
                                         Smuggling{"\xe2\x80\xa8.\xe2\x80\xa8",
                                                   "\xe2\x80\xa8.\xe2\x80\xa8"}));

/// Octets that mean something here, in every order.
std::string random_input(std::mt19937& random) {
  const std::string alphabet = "\r\r\r\n\n\n...ab\0"s;
  std::string bytes;
  for (auto length = random() % 60; length > 0; --length) bytes += alphabet[random() % alphabet.size()];
  return bytes + "\r\n.\r\nbehind";
}

TEST(DataReader, ReadsTheSameInWhateverPiecesItComes) {
  std::mt19937 random(20'261'124);
  for (int round = 0; round < 20'000; ++round) {
    const auto bytes = random_input(random);
    const auto whole = read_whole(bytes);
    ASSERT_EQ(read_in_pieces(bytes, [] { return 1; }), whole) << testing::PrintToString(bytes);
    ASSERT_EQ(read_in_pieces(bytes, [&random] { return 1 + random() % 5; }), whole)
        << testing::PrintToString(bytes);
  }
}

TEST(DataReader, NeverLetsABareCrLfOrNulThrough) {
  std::mt19937 random(4711);
  for (int round = 0; round < 20'000; ++round) {
    const auto bytes = random_input(random);
    const auto read = read_whole(bytes);
    ASSERT_TRUE(read.ended);
    for (std::size_t i = 0; i < read.message.size(); ++i) {
      const char c = read.message[i];
      ASSERT_NE(c, '\0');
      ASSERT_TRUE(c != '\r' || read.message.substr(i, 2) == "\r\n") << testing::PrintToString(bytes);
      ASSERT_TRUE(c != '\n' || (i > 0 && read.message[i - 1] == '\r')) << testing::PrintToString(bytes);
    }
  }
}

TEST(DataReader, EndsOnlyAtTheFirstCrlfDotCrlf) {
  std::mt19937 random(815);
  for (int round = 0; round < 20'000; ++round) {
    const auto bytes = random_input(random);
    // DATA's own line end counts as the first CRLF.
    const auto end = ("\r\n" + bytes).find("\r\n.\r\n") + 3;
    ASSERT_EQ(read_whole(bytes).behind, bytes.substr(end)) << testing::PrintToString(bytes);
  }
}

}  // namespace
}  // namespace mailid::server
