#include "sidecar/spool/body.hpp"

#include <initializer_list>
#include <utility>

namespace mailid::spool {

Body& Body::operator=(Body&& other) noexcept {
  disk_ = other.disk_;
  share_ = std::move(other.share_);
  // A string that takes over a short one keeps its room, for which nobody would pay any more.
  std::string taken(std::move(other.memory_));
  memory_.swap(taken);
  file_ = std::move(other.file_);
  size_ = other.size_;
  return *this;
}

catalogue::Result<base::Done> Body::append(std::string_view bytes) {
  if (file_ == nullptr && !fits_memory(bytes.size())) {
    if (auto moved = move_to_file(); !moved) return moved;
  }
  if (file_ == nullptr) {
    memory_ += bytes;
  } else if (auto written = file_->append(bytes); !written) {
    return written;
  }
  size_ += bytes.size();
  return base::Done{};
}

/// Makes room for `more` octets in memory, in steps so wide that std::string takes no more than it is asked to.
bool Body::fits_memory(std::size_t more) {
  const auto wanted = memory_.size() + more;
  if (wanted <= memory_.capacity()) return true;
  for (const std::size_t step : {kMemoryLimit / 16, kMemoryLimit / 4, kMemoryLimit}) {
    if (wanted > step) continue;
    if (!share_.grow(step - memory_.capacity())) return false;
    memory_.reserve(step);
    return true;
  }
  return false;
}

catalogue::Result<base::Done> Body::move_to_file() {
  auto created = disk_->create();
  if (!created) return base::Unexpected{std::move(created).error()};
  auto file = std::move(created).value();
  if (!memory_.empty()) {
    if (auto written = file->append(memory_); !written) return written;
  }
  file_ = std::move(file);
  std::string().swap(memory_);
  share_.release();
  return base::Done{};
}

catalogue::Result<std::size_t> Body::read_at(std::uint64_t offset, std::span<char> into) const {
  if (offset >= size_) return std::size_t{0};
  if (file_ != nullptr) return file_->read_at(offset, into);
  return memory_.copy(into.data(), into.size(), static_cast<std::size_t>(offset));
}

}  // namespace mailid::spool
