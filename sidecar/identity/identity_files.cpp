#include "sidecar/identity/identity_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/encoding.hpp"

namespace mailid::identity {
namespace {

using catalogue::Failure;
using catalogue::Reason;
using Text = base::Expected<std::string, std::string>;

// Real tokens have 1 to 8 kB; identity.v1.json is bounded by its extra roots and senders.
constexpr std::size_t kMaxToken = 65'536;
constexpr std::size_t kMaxExpiry = 64;
constexpr std::size_t kMaxSettings = 524'288;

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }
  bool open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

std::string system_words() {
  return std::strerror(errno);  // NOLINT(concurrency-mt-unsafe): the program has one thread that reads files
}

/// The file's bytes, or what is wrong with it.
Text read_file(const Descriptor& folder, std::string_view name, std::size_t limit) {
  // A pipe in a folder that somebody else fills must not stop the mail.
  const Descriptor file(::openat(folder.get(), std::string(name).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.open()) return base::Unexpected{system_words()};
  struct stat about{};
  if (::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
    return base::Unexpected{std::string("is not a file")};
  }
  if (about.st_size == 0) return base::Unexpected{std::string("is empty")};
  if (static_cast<std::size_t>(about.st_size) > limit) {
    return base::Unexpected{"is larger than " + std::to_string(limit) + " octets"};
  }
  // One size from the start: a string that grows would leave copies of a token behind.
  std::string bytes(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const auto count = ::read(file.get(), bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  if (size < bytes.size()) {
    base::wipe(bytes);
    return base::Unexpected{std::string("changed while it was read")};
  }
  return bytes;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto from = text.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kSpace) - from + 1);
}

base::Unexpected<Failure> incomplete(const std::string& identity, std::string_view file,
                                     std::string_view what) {
  std::string context = "identity " + identity + ": ";
  context.append(file).append(": ").append(what);
  return {Failure{Reason::TokenMissing, std::move(context)}};
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::filesystem::path current_folder(const std::filesystem::path& base) {
  std::error_code missing;
  auto folder = std::filesystem::canonical(base / "..data", missing);
  return missing ? base : folder;
}

catalogue::Result<Credentials> read_identity(const std::filesystem::path& folder, const std::string& name) {
  const auto own = current_folder(folder / name);
  const Descriptor directory(::open(own.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory.open()) return base::Unexpected{Failure{Reason::IdentityMissing, "identity " + name}};

  Credentials credentials;
  const auto settings = read_file(directory, contract::kIdentityKey, kMaxSettings);
  if (!settings) return incomplete(name, contract::kIdentityKey, settings.error());
  auto identity = contract::identity_from_json(*settings);
  if (!identity) return incomplete(name, contract::kIdentityKey, identity.error().context);
  credentials.settings = std::move(*identity);
  credentials.settings.name = name;

  const auto expiry = read_file(directory, contract::kExpiresAtKey, kMaxExpiry);
  if (!expiry) return incomplete(name, contract::kExpiresAtKey, expiry.error());
  const auto expires_at = base::parse_rfc3339(trimmed(*expiry));
  if (!expires_at) return incomplete(name, contract::kExpiresAtKey, "is not a time of RFC 3339");
  credentials.expires_at = *expires_at;

  auto token = read_file(directory, contract::kTokenKey, kMaxToken);
  if (!token) return incomplete(name, contract::kTokenKey, token.error());
  const bool usable = is_token(trimmed(*token));
  if (usable) credentials.token = std::make_shared<const base::Secret>(trimmed(*token));
  base::wipe(*token);
  if (!usable)
    return incomplete(name, contract::kTokenKey, "holds what no token has (spaces or control bytes)");
  return credentials;
}

}  // namespace mailid::identity
