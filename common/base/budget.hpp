#pragma once

#include <cstdint>

namespace mailid::base {

/// Octets of memory or disk that all clients share, so that many of them together can't take what each one may. One
/// thread.
class Budget {
 public:
  explicit Budget(std::uint64_t octets) : left_(octets) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  /// Takes `octets`, or nothing where fewer are left.
  bool take(std::uint64_t octets) {
    if (octets > left_) return false;
    left_ -= octets;
    return true;
  }
  void give_back(std::uint64_t octets) { left_ += octets; }
  std::uint64_t left() const { return left_; }

 private:
  std::uint64_t left_;
};

/// A share of a budget that goes back when its owner ends.
class Share {
 public:
  /// A share of nothing: every grow() works and counts nowhere.
  Share() = default;
  /// `budget` must outlive the share.
  explicit Share(Budget& budget) : budget_(&budget) {}
  Share(Share&& other) noexcept : budget_(other.budget_), octets_(other.octets_) { other.octets_ = 0; }
  Share& operator=(Share&& other) noexcept {
    if (this == &other) return *this;
    release();
    budget_ = other.budget_;
    octets_ = other.octets_;
    other.octets_ = 0;
    return *this;
  }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;
  ~Share() { release(); }

  /// Makes the share `octets` larger, or leaves it where the budget has no more.
  bool grow(std::uint64_t octets) {
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
  Budget* budget_ = nullptr;
  std::uint64_t octets_ = 0;
};

}  // namespace mailid::base
