#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "sidecar/spool/body.hpp"

namespace mailid::fakes {

/// A disk in memory that is full or broken when a test wants it to be, and says what was done with it.
class FakeDisk final : public spool::Disk {
 public:
  /// Octets that still fit, of all files together.
  std::uint64_t room = UINT64_MAX;
  bool refuse_files = false;
  bool refuse_reads = false;
  /// Files made so far, and how many of them are open now.
  int created = 0;
  int open = 0;

  catalogue::Result<std::unique_ptr<File>> create() override {
    if (refuse_files) return full();
    ++created;
    return std::unique_ptr<File>(std::make_unique<FakeFile>(*this));
  }

 private:
  class FakeFile final : public File {
   public:
    explicit FakeFile(FakeDisk& disk) : disk_(&disk) { ++disk_->open; }
    FakeFile(const FakeFile&) = delete;
    FakeFile& operator=(const FakeFile&) = delete;
    ~FakeFile() override { --disk_->open; }

    catalogue::Result<base::Done> append(std::string_view bytes) override {
      if (bytes.size() > disk_->room) return full();
      disk_->room -= bytes.size();
      octets_ += bytes;
      return base::Done{};
    }
    catalogue::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const override {
      if (disk_->refuse_reads) return full();
      if (offset >= octets_.size()) return std::size_t{0};
      return octets_.copy(into.data(), into.size(), static_cast<std::size_t>(offset));
    }

   private:
    FakeDisk* disk_;
    std::string octets_;
  };

  static base::Unexpected<catalogue::Failure> full() {
    return {catalogue::Failure{catalogue::Reason::DiskFull, "fake disk"}};
  }
};

/// All octets of a body, read in pieces of `piece`.
inline std::string octets_of(const spool::Body& body, std::size_t piece = 4096) {
  std::string all;
  std::string buffer(piece, '\0');
  for (;;) {
    const auto count = body.read_at(all.size(), buffer);
    if (!count || *count == 0) return all;
    all.append(buffer, 0, *count);
  }
}

}  // namespace mailid::fakes
