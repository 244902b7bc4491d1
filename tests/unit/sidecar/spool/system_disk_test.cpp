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
  SystemDisk disk(folder_);
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
  SystemDisk disk(folder_);
  auto file = disk.create();
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->append("nobody sees this"));
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(SystemDiskTest, NamesTheFolderThatIsNotThere) {
  SystemDisk disk(folder_ / "missing");
  const auto file = disk.create();
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().reason, catalogue::Reason::DiskFull);
  EXPECT_THAT(file.error().context, HasSubstr((folder_ / "missing").string()));
  EXPECT_THAT(file.error().context, HasSubstr("No such file"));
}

TEST_F(SystemDiskTest, SaysDiskFullWhereTheSystemTakesNoMore) {
  // A limit on file sizes is the one full disk that a test can have without being root.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{1000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);

  SystemDisk disk(folder_);
  auto file = disk.create();
  ASSERT_TRUE(file);
  const auto written = (*file)->append(std::string(1500, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().reason, catalogue::Reason::DiskFull);
}

}  // namespace
}  // namespace mailid::spool
