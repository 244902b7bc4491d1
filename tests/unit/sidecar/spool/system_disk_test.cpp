#include "sidecar/spool/system_disk.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <gmock/gmock.h>
#include <sys/resource.h>

namespace mailid::spool {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::uint64_t kPlenty = 1'000'000;

class SystemDiskTest : public testing::Test {
 public:
  SystemDiskTest() {
    auto name = (fs::temp_directory_path() / "mailid-disk-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~SystemDiskTest() override { fs::remove_all(folder_); }

 protected:
  fs::path folder_;
};

TEST_F(SystemDiskTest, KeepsWhatIsAppended) {
  SystemDisk disk(folder_, kPlenty);
  auto file = disk.create();
  ASSERT_TRUE(file) << file.error().context;
  ASSERT_TRUE((*file)->append("Hello, "));
  ASSERT_TRUE((*file)->append("world"));
  std::array<char, 32> buffer{};
  ASSERT_EQ(*(*file)->read_at(7, buffer), 5U);
  EXPECT_EQ(std::string_view(buffer.data(), 5), "world");
  EXPECT_EQ(*(*file)->read_at(12, buffer), 0U);
}

TEST_F(SystemDiskTest, LeavesNoNameInTheFolder) {
  SystemDisk disk(folder_, kPlenty);
  auto file = disk.create();
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->append("nobody sees this"));
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(SystemDiskTest, NamesTheFolderThatIsNotThere) {
  SystemDisk disk(folder_ / "missing", kPlenty);
  const auto file = disk.create();
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().reason, catalogue::Reason::DiskFull);
  EXPECT_THAT(file.error().context, HasSubstr((folder_ / "missing").string()));
  EXPECT_THAT(file.error().context, HasSubstr("No such file"));
}

TEST_F(SystemDiskTest, GivesAllFilesTogetherNoMoreThanItsCapacity) {
  SystemDisk disk(folder_, 1000);
  auto first = disk.create();
  auto second = disk.create();
  ASSERT_TRUE(first && second);
  ASSERT_TRUE((*first)->append(std::string(600, 'x')));
  const auto refused = (*second)->append(std::string(401, 'x'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, catalogue::Reason::DiskFull);
  EXPECT_THAT(refused.error().context, HasSubstr("other messages take all its room"));
  EXPECT_TRUE((*second)->append(std::string(400, 'x')));
  (*first).reset();
  EXPECT_TRUE((*second)->append(std::string(600, 'x')));
}

TEST_F(SystemDiskTest, SaysDiskFullWhereTheSystemTakesNoMore) {
  // A limit on file sizes is the one full disk that a test can have without being root.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{1000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);

  SystemDisk disk(folder_, kPlenty);
  auto file = disk.create();
  ASSERT_TRUE(file);
  const auto written = (*file)->append(std::string(1500, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().reason, catalogue::Reason::DiskFull);
}

}  // namespace
}  // namespace mailid::spool
