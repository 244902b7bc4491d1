#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/log.hpp"
#include "common/net/asio.hpp"
#include "sidecar/identity/directory_watch.hpp"
#include "sidecar/identity/token_source.hpp"

namespace mailid::identity {

/// The identities that are mounted into the pod, each a folder of `base` with the files of
/// common/contract/identity.hpp.
///
/// A kubelet swaps one symbolic link (`..data`) to change all files at once, so the folder is resolved once and
/// all files are read there: token and settings are always of one generation. What is missing, empty or
/// half-written is temporary: the last complete state stays in use as long as its token lives.
class MountedIdentities final : public TokenSource {
 public:
  /// Reads what is there. `base` need not exist yet. Clock and log must outlive this.
  MountedIdentities(std::filesystem::path base, const base::Clock& clock, const base::Log& log);

  /// Reads again whenever the kubelet changes something, until this object ends; without inotify every call of
  /// current() looks at the files.
  void watch(asio::any_io_executor executor);

  catalogue::Result<CredentialsPtr> current(std::string_view identity) override;
  catalogue::Result<CredentialsPtr> refresh(std::string_view identity) override;

  /// The names of all identities that were ever complete or have a folder now, in alphabetical order.
  std::vector<std::string> names() const;
  /// The identity that `sender` goes out through: `preferred` if it may, else the first that allows the
  /// sender; `preferred` where none does, so that the refusal names the pod's own identity.
  std::string pick(std::string_view sender, std::string_view preferred) const;

 private:
  struct Known {
    CredentialsPtr credentials;                 ///< the last complete state
    std::optional<catalogue::Failure> trouble;  ///< why the files gave none the last time
  };

  void read_all();
  void read(const std::string& name);
  catalogue::Result<CredentialsPtr> usable(std::string_view identity) const;

  std::filesystem::path base_;
  const base::Clock* clock_;
  const base::Log* log_;
  std::map<std::string, Known, std::less<>> known_;
  std::uint64_t last_generation_ = 0;
  std::unique_ptr<DirectoryWatch> watch_;
};

}  // namespace mailid::identity
