#include "operator/kube/material.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace mailid::kube {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1024} * 1024;

/// A descriptor that is closed at the end.
class File {
 public:
  explicit File(const std::string& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

base::Unexpected<std::string> wrong(const std::string& path, const std::string& what) {
  return base::Unexpected{path + ": " + what};
}

std::string system_words() {
  return std::generic_category().message(errno);
}

}  // namespace

Material Material::from_file(std::string path) {
  Material material;
  material.path_ = std::move(path);
  return material;
}

Material Material::from_text(base::Secret text) {
  Material material;
  material.text_ = std::move(text);
  return material;
}

Material Material::clone() const {
  Material material;
  material.path_ = path_;
  material.text_ = text_.clone();
  return material;
}

base::Expected<base::Secret, std::string> Material::read() const {
  if (path_.empty()) return text_.clone();

  const File file(path_);
  if (file.descriptor() < 0) return wrong(path_, system_words());
  std::string bytes;
  // Room for all at once, so that no copy of a token is left behind when the string would grow.
  bytes.reserve(kMaxBytes);
  std::array<char, std::size_t{16} * 1024> buffer{};
  for (;;) {
    const auto count = ::read(file.descriptor(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return wrong(path_, system_words());
    if (count == 0) break;
    if (bytes.size() + static_cast<std::size_t>(count) > kMaxBytes)
      return wrong(path_, "is larger than 1 MiB");
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
  }
  base::Secret secret(bytes);
  base::wipe(bytes);
  explicit_bzero(buffer.data(), buffer.size());
  if (secret.empty()) return wrong(path_, "is empty");
  return secret;
}

}  // namespace mailid::kube
