#pragma once

#include <cstddef>

namespace mailid::spool {

/// Octets of memory that all clients share, so that many of them together can't take what each one may.
/// One thread.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t octets) : left_(octets) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// Takes `octets`, or nothing where fewer are left.
  bool take(std::size_t octets) {
    if (octets > left_) return false;
    left_ -= octets;
    return true;
  }
  void give_back(std::size_t octets) { left_ += octets; }
  std::size_t left() const { return left_; }

 private:
  std::size_t left_;
};

/// A share of a budget that goes back when its owner ends.
class MemoryShare {
 public:
  /// A share of nothing: every grow() works and counts nowhere.
  MemoryShare() = default;
  /// `budget` must outlive the share.
  explicit MemoryShare(MemoryBudget& budget) : budget_(&budget) {}
  MemoryShare(MemoryShare&& other) noexcept : budget_(other.budget_), octets_(other.octets_) {
    other.octets_ = 0;
  }
  MemoryShare& operator=(MemoryShare&& other) noexcept {
    if (this == &other) return *this;
    release();
    budget_ = other.budget_;
    octets_ = other.octets_;
    other.octets_ = 0;
    return *this;
  }
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;
  ~MemoryShare() { release(); }

  /// Makes the share `octets` larger, or leaves it where the budget has no more.
  bool grow(std::size_t octets) {
    if (budget_ == nullptr) return true;
    if (!budget_->take(octets)) return false;
    octets_ += octets;
    return true;
  }
  void release() {
    if (budget_ != nullptr) budget_->give_back(octets_);
    octets_ = 0;
  }

 private:
  MemoryBudget* budget_ = nullptr;
  std::size_t octets_ = 0;
};

}  // namespace mailid::spool
