#include "operator/reconcile/fingerprint.hpp"

#include <array>
#include <fmt/format.h>
#include <memory>
#include <openssl/evp.h>

namespace mailid::reconcile {
namespace {

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

std::uint64_t stable_hash(std::initializer_list<std::string_view> parts) {
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  for (const auto part : parts) {
    // With its length, so that {"a", "bc"} and {"ab", "c"} differ.
    const auto length = fmt::format("{}:", part.size());
    EVP_DigestUpdate(context.get(), length.data(), length.size());
    EVP_DigestUpdate(context.get(), part.data(), part.size());
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);

  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8U | digest[i];
  return number;
}

std::string fingerprint(std::initializer_list<std::string_view> parts) {
  return fmt::format("{:016x}", stable_hash(parts));
}

}  // namespace mailid::reconcile
