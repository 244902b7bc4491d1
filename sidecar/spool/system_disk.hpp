#pragma once

#include <filesystem>

#include "sidecar/spool/body.hpp"

namespace mailid::spool {

/// A folder of the machine's disk. Its files never have a name, or lose it before a byte is in them, so
/// nothing of a message stays behind whatever ends the process.
class SystemDisk final : public Disk {
 public:
  /// `folder` must be there and writable when the first file is made.
  explicit SystemDisk(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Any error of the system is DiskFull with the folder and the system's words: it passes, and the app is to
  /// try again.
  catalogue::Result<std::unique_ptr<File>> create() override;

 private:
  std::filesystem::path folder_;
};

}  // namespace mailid::spool
