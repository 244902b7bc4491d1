#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "common/net/asio.hpp"

namespace mailid::identity {

/// Tells when entries of a directory come, go or change, and those of its subdirectories (not deeper).
class DirectoryWatch {
 public:
  /// Calls `changed` after each burst of changes, on the executor's thread, until this object ends.
  /// @return nothing where inotify is not to be had
  static std::unique_ptr<DirectoryWatch> start(asio::any_io_executor executor,
                                               const std::filesystem::path& directory,
                                               std::function<void()> changed);
  ~DirectoryWatch();

 private:
  struct State;
  explicit DirectoryWatch(std::shared_ptr<State> state);
  static asio::awaitable<void> run(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace mailid::identity
