#pragma once

#include <algorithm>
#include <cstdint>

#include "common/base/random.hpp"

namespace mailid::fakes {

/// Randomness that is the same in every run: 1, 2, 3 ... as octets.
class FakeRandom final : public base::Random {
 public:
  void fill(std::span<std::byte> bytes) override {
    std::ranges::generate(bytes, [this] { return std::byte{++last_}; });
  }

 private:
  std::uint8_t last_ = 0;
};

}  // namespace mailid::fakes
