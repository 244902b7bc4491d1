#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/base/budget.hpp"
#include "common/catalogue/catalogue.hpp"

namespace mailid::spool {

/// The disk, as far as a body needs it. Tests give one that is full or broken (tests/fakes/fake_disk.hpp).
class Disk {
 public:
  /// An open file that nobody else can see; it is gone when this object ends.
  class File {
   public:
    virtual ~File() = default;
    /// Appends all bytes, or fails with DiskFull and writes no more.
    virtual catalogue::Result<base::Done> append(std::string_view bytes) = 0;
    /// Reads up to `into.size()` octets from `offset`; 0 at the end.
    virtual catalogue::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const = 0;
  };
  virtual ~Disk() = default;
  /// A new unnamed file, or DiskFull.
  virtual catalogue::Result<std::unique_ptr<File>> create() = 0;
};

/// One complete message: CRLF line ends only, no dot-stuffing, no final dot.
///
/// In memory up to kMemoryLimit octets, from there in a file, so that memory does not grow with the message.
/// Written once from front to back, then read as often as a retry needs it.
class Body {
 public:
  static constexpr std::size_t kMemoryLimit = 64UL * 1024;

  /// Keeps a reference to `disk`, which must outlive the body.
  explicit Body(Disk& disk) : disk_(&disk) {}
  /// The same with memory from `budget`, which must outlive the body too: where it has none left the message is
  /// in a file from there on, however short.
  Body(Disk& disk, base::Budget& budget) : disk_(&disk), share_(budget) {}
  Body(Body&&) noexcept = default;
  Body& operator=(Body&& other) noexcept;

  /// Appends; fails with DiskFull, after which the body must be thrown away.
  catalogue::Result<base::Done> append(std::string_view bytes);
  std::uint64_t size() const { return size_; }
  /// The octets from `offset`, at most `into.size()` of them; 0 at the end. Fails only where the disk does.
  catalogue::Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) const;

 private:
  bool fits_memory(std::size_t more);
  catalogue::Result<base::Done> move_to_file();

  Disk* disk_;
  base::Share share_;
  std::string memory_;
  std::unique_ptr<Disk::File> file_;
  std::uint64_t size_ = 0;
};

}  // namespace mailid::spool
