#pragma once

#include <cstddef>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

namespace mailid::base {

/// A credential or a token: the one type that holds them.
///
/// Moves and never copies by itself, wipes its memory when it ends, keeps that memory out of core files
/// where the kernel allows it, and prints as `***`. Not thread-safe.
class Secret {
 public:
  Secret() = default;
  /// Copies `text`; the caller wipes its own copy if it made one (see wipe()).
  explicit Secret(std::string_view text);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  /// The bytes, valid while this object lives. Never log them, never keep a std::string of them.
  std::string_view reveal() const { return {bytes_.get(), size_}; }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  /// A second owner of the same bytes, where two really are needed.
  Secret clone() const { return Secret(reveal()); }
  /// Compares in a time that does not depend on where the bytes differ.
  friend bool operator==(const Secret& a, const Secret& b);

 private:
  void clear() noexcept;

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

/// Always `***`.
std::ostream& operator<<(std::ostream& out, const Secret& secret);

/// Overwrites a buffer that held a secret and empties it; the compiler can't leave it out.
void wipe(std::string& text) noexcept;

}  // namespace mailid::base
