#include "operator/api/quantity.hpp"

#include <gtest/gtest.h>

namespace mailid::api {
namespace {

using std::chrono::milliseconds;

TEST(Quantity, CountsInPowersOfTwoAndOfTen) {
  EXPECT_EQ(parse_quantity("25Mi"), 26'214'400U);
  EXPECT_EQ(parse_quantity("25M"), 25'000'000U);
  EXPECT_EQ(parse_quantity("1Ki"), 1'024U);
  EXPECT_EQ(parse_quantity("1k"), 1'000U);
  EXPECT_EQ(parse_quantity("2Gi"), 2'147'483'648U);
  EXPECT_EQ(parse_quantity("1Ei"), 1'152'921'504'606'846'976U);
}

TEST(Quantity, TakesAPlainNumber) {
  EXPECT_EQ(parse_quantity("26214400"), 26'214'400U);
  EXPECT_EQ(parse_quantity("+7"), 7U);
  EXPECT_EQ(parse_quantity("0"), 0U);
  EXPECT_EQ(parse_quantity("18446744073709551615"), 18'446'744'073'709'551'615U);
}

TEST(Quantity, TakesFractionsAndExponents) {
  EXPECT_EQ(parse_quantity("0.5Gi"), 536'870'912U);
  EXPECT_EQ(parse_quantity("1.5G"), 1'500'000'000U);
  EXPECT_EQ(parse_quantity(".5k"), 500U);
  EXPECT_EQ(parse_quantity("1e6"), 1'000'000U);
  EXPECT_EQ(parse_quantity("12E-1"), 2U);
  EXPECT_EQ(parse_quantity("1E+3"), 1'000U);
}

TEST(Quantity, RoundsUpToAWholeOne) {
  EXPECT_EQ(parse_quantity("1500m"), 2U);
  EXPECT_EQ(parse_quantity("1m"), 1U);
  EXPECT_EQ(parse_quantity("2000m"), 2U);
  EXPECT_EQ(parse_quantity("1.5"), 2U);
}

TEST(Quantity, IsNothingWhereItIsNone) {
  for (const auto* text :
       {"", "Mi", "25MB", "25mi", "-1", "1 Mi", "1..5", "ten", "1e", "1e+", "1e1000", "0x10", "."}) {
    EXPECT_EQ(parse_quantity(text), std::nullopt) << text;
  }
}

TEST(Quantity, IsNothingWhereItIsTooLarge) {
  for (const auto* text : {"18446744073709551616", "16Ei", "1e20", "100000000000000000000", "20E"}) {
    EXPECT_EQ(parse_quantity(text), std::nullopt) << text;
  }
}

TEST(DurationText, IsWhatGoWrites) {
  EXPECT_EQ(parse_duration("25s"), milliseconds(25'000));
  EXPECT_EQ(parse_duration("1m30s"), milliseconds(90'000));
  EXPECT_EQ(parse_duration("1.5h"), milliseconds(5'400'000));
  EXPECT_EQ(parse_duration("1h0m0.25s"), milliseconds(3'600'250));
  EXPECT_EQ(parse_duration("300ms"), milliseconds(300));
  EXPECT_EQ(parse_duration("1500us"), milliseconds(1));
  EXPECT_EQ(parse_duration("1500\u00B5s"), milliseconds(1));
  EXPECT_EQ(parse_duration("0"), milliseconds(0));
}

TEST(DurationText, IsNothingWhereGoWouldRefuseIt) {
  for (const auto* text : {"", "25", "s", "25 s", "-1s", "1d", "1s ", "25S", "1.2.3s", "ms5"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(DurationText, IsNothingWhereItIsTooLong) {
  EXPECT_EQ(parse_duration("10001h"), std::nullopt);
  EXPECT_EQ(parse_duration("10000h1ns"), std::nullopt);
  EXPECT_EQ(parse_duration("9999999999999999999h"), std::nullopt);
}

}  // namespace
}  // namespace mailid::api
