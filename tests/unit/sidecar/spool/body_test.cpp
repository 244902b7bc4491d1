#include "sidecar/spool/body.hpp"

#include <array>
#include <gtest/gtest.h>

#include "tests/fakes/fake_disk.hpp"

namespace mailid::spool {
namespace {

using fakes::FakeDisk;
using fakes::octets_of;

std::string letters(std::size_t count) {
  std::string text(count, '\0');
  for (std::size_t i = 0; i < count; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

TEST(Body, OfAShortMessageStaysInMemory) {
  FakeDisk disk;
  Body body(disk);
  ASSERT_TRUE(body.append(letters(Body::kMemoryLimit)));
  EXPECT_EQ(body.size(), Body::kMemoryLimit);
  EXPECT_EQ(disk.created, 0);
  EXPECT_EQ(octets_of(body), letters(Body::kMemoryLimit));
}

TEST(Body, MovesToAFileWithTheFirstOctetOverTheLimit) {
  FakeDisk disk;
  Body body(disk);
  ASSERT_TRUE(body.append(letters(Body::kMemoryLimit)));
  ASSERT_TRUE(body.append("!"));
  EXPECT_EQ(disk.created, 1);
  EXPECT_EQ(octets_of(body), letters(Body::kMemoryLimit) + "!");
}

TEST(Body, IsTheSameInWhateverPiecesItComes) {
  const auto whole = letters(3 * Body::kMemoryLimit + 17);
  for (const std::size_t piece : {1UL, 7UL, 4096UL, 100'000UL, whole.size()}) {
    FakeDisk disk;
    Body body(disk);
    for (std::size_t at = 0; at < whole.size(); at += piece) {
      ASSERT_TRUE(body.append(std::string_view(whole).substr(at, piece)));
    }
    EXPECT_EQ(body.size(), whole.size());
    EXPECT_EQ(octets_of(body, 1000), whole) << "in pieces of " << piece;
  }
}

TEST(Body, CanBeReadFromAnywhereAgainAndAgain) {
  FakeDisk disk;
  for (const std::size_t size : {100UL, Body::kMemoryLimit + 100}) {
    Body body(disk);
    ASSERT_TRUE(body.append(letters(size)));
    std::array<char, 10> buffer{};
    for (int again = 0; again < 2; ++again) {
      ASSERT_EQ(*body.read_at(50, buffer), 10U);
      EXPECT_EQ(std::string_view(buffer.data(), 10), std::string_view(letters(size)).substr(50, 10));
    }
    EXPECT_EQ(*body.read_at(size - 3, buffer), 3U);
    EXPECT_EQ(*body.read_at(size, buffer), 0U);
    EXPECT_EQ(*body.read_at(size + 1000, buffer), 0U);
  }
}

TEST(Body, SaysDiskFullWhereNoFileCanBeMade) {
  FakeDisk disk;
  disk.refuse_files = true;
  Body body(disk);
  const auto written = body.append(letters(Body::kMemoryLimit + 1));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().reason, catalogue::Reason::DiskFull);
}

TEST(Body, SaysDiskFullWhereTheFileCannotGrow) {
  FakeDisk disk;
  disk.room = Body::kMemoryLimit + 5;
  Body body(disk);
  ASSERT_TRUE(body.append(letters(Body::kMemoryLimit + 5)));
  const auto written = body.append("x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().reason, catalogue::Reason::DiskFull);
}

TEST(Body, GivesItsFileBackWhenItEnds) {
  FakeDisk disk;
  {
    Body body(disk);
    ASSERT_TRUE(body.append(letters(Body::kMemoryLimit + 1)));
    const Body moved = std::move(body);
    EXPECT_EQ(disk.open, 1);
    EXPECT_EQ(moved.size(), Body::kMemoryLimit + 1);
  }
  EXPECT_EQ(disk.open, 0);
}

TEST(Body, GoesToAFileWhereTheSharedMemoryIsUsedUp) {
  FakeDisk disk;
  base::Budget budget(10'000);
  Body first(disk, budget);
  ASSERT_TRUE(first.append(letters(4000)));
  EXPECT_EQ(disk.created, 0);
  Body second(disk, budget);
  ASSERT_TRUE(second.append(letters(4000)));
  Body third(disk, budget);
  ASSERT_TRUE(third.append(letters(4000)));
  EXPECT_EQ(disk.created, 1);
  EXPECT_EQ(octets_of(third), letters(4000));
}

TEST(Body, PaysForItsMemoryAgainInThePlaceOfAnotherOne) {
  FakeDisk disk;
  constexpr std::size_t kAll = 1'000'000;
  base::Budget budget(kAll);
  Body body(disk, budget);
  ASSERT_TRUE(body.append(letters(50'000)));
  body = Body(disk, budget);
  EXPECT_EQ(budget.left(), kAll);
  EXPECT_EQ(octets_of(body), "");
  ASSERT_TRUE(body.append(letters(50'000)));
  EXPECT_LE(budget.left(), kAll - 50'000);
}

TEST(Body, GivesItsMemoryBackWhenItMovesToAFileOrEnds) {
  FakeDisk disk;
  constexpr std::size_t kAll = 1'000'000;
  base::Budget budget(kAll);
  {
    Body body(disk, budget);
    ASSERT_TRUE(body.append(letters(20'000)));
    EXPECT_LE(budget.left(), kAll - 20'000);
    const Body moved = std::move(body);
    EXPECT_LE(budget.left(), kAll - 20'000);
  }
  EXPECT_EQ(budget.left(), kAll);
  Body body(disk, budget);
  ASSERT_TRUE(body.append(letters(Body::kMemoryLimit + 1)));
  EXPECT_EQ(budget.left(), kAll);
}

}  // namespace
}  // namespace mailid::spool
