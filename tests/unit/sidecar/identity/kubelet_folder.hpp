#pragma once

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <string>

#include "common/contract/identity.hpp"

namespace mailid::identity {

/// A folder as a kubelet fills it for a projected volume: everything lies in a folder with a time for a name, `..data`
/// leads there, and each identity is a link through it. A swap moves one link.
class KubeletFolder {
 public:
  using Files = std::map<std::string, std::string>;  ///< key to content

  KubeletFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mailid-identity-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  KubeletFolder(const KubeletFolder&) = delete;
  KubeletFolder& operator=(const KubeletFolder&) = delete;
  ~KubeletFolder() { std::filesystem::remove_all(root_); }

  const std::filesystem::path& path() const { return root_; }

  /// The three files of an identity that is complete.
  static Files complete(const std::string& identity, const std::string& token,
                        const std::string& expires_at = "2026-11-24T06:00:00Z") {
    contract::Identity settings;
    settings.mailbox = identity + "@contoso.test";
    settings.host = "relay.test";
    return complete(settings, token, expires_at);
  }
  static Files complete(const contract::Identity& settings, const std::string& token,
                        const std::string& expires_at = "2026-11-24T06:00:00Z") {
    return {{std::string(contract::kTokenKey), token},
            {std::string(contract::kExpiresAtKey), expires_at},
            {std::string(contract::kIdentityKey), contract::to_json(settings)}};
  }

  /// Puts an identity's files into the next swap, instead of those it had.
  void put(const std::string& identity, Files files) { next_[identity] = std::move(files); }
  /// Takes an identity out of the next swap, as when its Secret is deleted.
  void take_away(const std::string& identity) { next_.erase(identity); }

  /// Writes what was put in and makes it visible at once, as a kubelet does.
  void swap() {
    const auto before = std::filesystem::exists(root_ / "..data")
                            ? std::filesystem::canonical(root_ / "..data")
                            : std::filesystem::path();
    const auto name = "..2026_11_24_05_00_00." + std::to_string(++swaps_);
    for (const auto& [identity, files] : next_) {
      const auto folder = root_ / name / identity;
      std::filesystem::create_directories(folder);
      for (const auto& [key, content] : files) std::ofstream(folder / key, std::ios::binary) << content;
    }
    std::filesystem::create_directories(root_ / name);
    std::filesystem::create_directory_symlink(name, root_ / "..data_tmp");
    std::filesystem::rename(root_ / "..data_tmp", root_ / "..data");
    for (const auto& [identity, files] : next_) {
      if (std::filesystem::is_symlink(root_ / identity)) continue;
      std::filesystem::create_directory_symlink("..data/" + identity, root_ / identity);
    }
    if (!before.empty()) std::filesystem::remove_all(before);
  }

 private:
  std::filesystem::path root_;
  std::map<std::string, Files> next_;
  int swaps_ = 0;
};

}  // namespace mailid::identity
