#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace mailid::base {

/// Where the program gets randomness from. Tests give a repeatable one (tests/fakes/fake_random.hpp).
class Random {
 public:
  virtual ~Random() = default;
  /// Fills the whole span.
  virtual void fill(std::span<std::byte> bytes) = 0;
};

/// The kernel's generator (getrandom(2)); blocks only before the machine has any entropy.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> bytes) override;
};

/// A number in [0, bound), near enough uniform for jitter; 0 for a bound of 0.
std::uint64_t random_below(Random& random, std::uint64_t bound);

/// `bytes` random bytes as lower-case hexadecimal digits, for names and ids.
std::string random_hex(Random& random, std::size_t bytes);

}  // namespace mailid::base
