#include "common/base/random.hpp"

#include <cerrno>
#include <cstdlib>
#include <sys/random.h>
#include <vector>

namespace mailid::base {

void SystemRandom::fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const auto count = getrandom(bytes.data(), bytes.size(), 0);
    if (count > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      // Without randomness nothing that follows would be safe.
      std::abort();
    }
  }
}

std::uint64_t random_below(Random& random, std::uint64_t bound) {
  if (bound == 0) return 0;
  std::uint64_t number = 0;
  random.fill(std::as_writable_bytes(std::span(&number, 1)));
  return number % bound;
}

std::string random_hex(Random& random, std::size_t bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::vector<std::byte> buffer(bytes);
  random.fill(buffer);
  std::string text;
  for (const auto byte : buffer) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4U];
    text += kDigits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

}  // namespace mailid::base
