#include "sidecar/spool/system_disk.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace mailid::spool {
namespace {

base::Unexpected<catalogue::Failure> failure(const std::filesystem::path& folder, const std::string& why) {
  return {catalogue::Failure{catalogue::Reason::DiskFull, folder.string() + ": " + why}};
}

base::Unexpected<catalogue::Failure> failure(const std::filesystem::path& folder, int error) {
  return failure(folder, std::generic_category().message(error));
}

class SystemFile final : public Disk::File {
 public:
  SystemFile(int descriptor, std::filesystem::path folder, base::Budget& budget)
      : descriptor_(descriptor), folder_(std::move(folder)), share_(budget) {}
  SystemFile(const SystemFile&) = delete;
  SystemFile& operator=(const SystemFile&) = delete;
  ~SystemFile() override { ::close(descriptor_); }

  catalogue::Result<base::Done> append(std::string_view bytes) override {
    if (!share_.grow(bytes.size())) return failure(folder_, "other messages take all its room");
    while (!bytes.empty()) {
      const auto count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return failure(folder_, count < 0 ? errno : ENOSPC);
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return base::Done{};
  }

  catalogue::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override {
    for (;;) {
      const auto count = ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) return failure(folder_, errno);
    }
  }

 private:
  int descriptor_;
  std::filesystem::path folder_;
  base::Share share_;
};

/// For file systems without O_TMPFILE: a file with a name of its own that is taken away at once.
int open_unlinked(const std::filesystem::path& folder) {
  auto name = (folder / ".body-XXXXXX").string();
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor >= 0) ::unlink(name.c_str());
  return descriptor;
}

bool lacks_unnamed_files(int error) {
  return error == EOPNOTSUPP || error == EISDIR || error == EINVAL;
}

}  // namespace

catalogue::Result<std::unique_ptr<Disk::File>> SystemDisk::create() {
  int descriptor = ::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0 && lacks_unnamed_files(errno)) descriptor = open_unlinked(folder_);
  if (descriptor < 0) return failure(folder_, errno);
  return std::unique_ptr<File>(std::make_unique<SystemFile>(descriptor, folder_, budget_));
}

}  // namespace mailid::spool
