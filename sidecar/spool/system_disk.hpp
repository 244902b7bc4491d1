#pragma once

#include <filesystem>

#include "common/base/budget.hpp"
#include "sidecar/spool/body.hpp"

namespace mailid::spool {

/// A folder of the machine's disk. Its files never have a name, or lose it before a byte is in them, so
/// nothing of a message stays behind whatever ends the process.
class SystemDisk final : public Disk {
 public:
  /// `folder` must be there and writable when the first file is made. All files together take at most `capacity`
  /// octets: beyond that it is our pod that a full volume would cost.
  SystemDisk(std::filesystem::path folder, std::uint64_t capacity)
      : folder_(std::move(folder)), budget_(capacity) {}

  /// The disk must outlive its files. Any error of the system is DiskFull with the folder and the system's words: it
  /// passes, and the app is to try again.
  catalogue::Result<std::unique_ptr<File>> create() override;

 private:
  std::filesystem::path folder_;
  base::Budget budget_;
};

}  // namespace mailid::spool
