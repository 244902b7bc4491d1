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
#include "sidecar/identity/identities.hpp"

namespace mailid::identity {

/// The identities that are mounted into the pod, each a folder of `base` with the files of
/// common/contract/identity.hpp.
///
/// A kubelet swaps one symbolic link (`..data`) to change all files at once, so the folder is resolved once and
/// all files are read there: token and settings are always of one generation. What is missing, empty or
/// half-written is temporary: the last complete state stays in use as long as its token lives.
class MountedIdentities final : public Identities {
 public:
  /// Reads what is there. `base` need not exist yet. Clock and log must outlive this.
  MountedIdentities(std::filesystem::path base, const base::Clock& clock, const base::Log& log);

  /// Reads again whenever the kubelet changes something, until this object ends; without inotify, and while `base`
  /// does not exist, every call of current() and pick() looks at the files.
  void watch(asio::any_io_executor executor);

  catalogue::Result<CredentialsPtr> current(std::string_view identity) override;
  catalogue::Result<CredentialsPtr> refresh(std::string_view identity) override;
  std::vector<std::string> names() const override;
  std::string pick(std::string_view sender, std::string_view preferred) override;

 private:
  struct Known {
    CredentialsPtr credentials;                 ///< the last complete state
    std::optional<catalogue::Failure> trouble;  ///< why the files gave none the last time
  };

  void start_watch(const asio::any_io_executor& executor);
  void look_if_blind();
  void read_all();
  void read(const std::string& name);
  void accept(Known& known, Credentials fresh);
  catalogue::Result<CredentialsPtr> usable(std::string_view identity) const;

  std::filesystem::path base_;
  const base::Clock* clock_;
  const base::Log* log_;
  std::map<std::string, Known, std::less<>> known_;
  std::uint64_t last_generation_ = 0;
  std::optional<asio::any_io_executor> executor_;
  std::unique_ptr<DirectoryWatch> watch_;
};

}  // namespace mailid::identity
