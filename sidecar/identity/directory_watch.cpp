#include "sidecar/identity/directory_watch.hpp"

#include <array>
#include <sys/inotify.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>

namespace mailid::identity {
namespace {

constexpr std::uint32_t kChanges = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE |
                                   IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

struct DirectoryWatch::State {
  State(const asio::any_io_executor& executor, int descriptor) : inotify(executor, descriptor) {}

  /// Watches the subdirectories that are there now; one that is watched already stays so. Names with a dot are the
  /// kubelet's own: their change is seen by the link that is moved over `..data`.
  void watch_subdirectories() {
    std::error_code failed;
    std::filesystem::directory_iterator entry(
        directory, std::filesystem::directory_options::skip_permission_denied, failed);
    for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
      if (entry->path().filename().native().starts_with('.')) continue;
      // Whatever is no directory is refused by IN_ONLYDIR.
      inotify_add_watch(inotify.native_handle(), entry->path().c_str(), kChanges);
    }
  }

  /// Reads all that has come, so that a burst is one change.
  void drain() {
    std::array<char, 4096> events;
    while (::read(inotify.native_handle(), events.data(), events.size()) > 0) continue;
  }

  asio::posix::stream_descriptor inotify;
  std::filesystem::path directory;
  std::function<void()> changed;
};

std::unique_ptr<DirectoryWatch> DirectoryWatch::start(asio::any_io_executor executor,
                                                      const std::filesystem::path& directory,
                                                      std::function<void()> changed) {
  const int descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) return nullptr;
  auto state = std::make_shared<State>(executor, descriptor);
  if (inotify_add_watch(descriptor, directory.c_str(), kChanges) < 0) return nullptr;
  state->directory = directory;
  state->changed = std::move(changed);
  state->watch_subdirectories();
  asio::co_spawn(executor, run(state), asio::detached);
  return std::unique_ptr<DirectoryWatch>(new DirectoryWatch(std::move(state)));
}

DirectoryWatch::DirectoryWatch(std::shared_ptr<State> state) : state_(std::move(state)) {}

DirectoryWatch::~DirectoryWatch() {
  error_code ignored;
  state_->inotify.close(ignored);
}

asio::awaitable<void> DirectoryWatch::run(std::shared_ptr<State> state) {
  for (;;) {
    error_code failed;
    auto wait = asio::redirect_error(asio::use_awaitable, failed);
    co_await state->inotify.async_wait(asio::posix::stream_descriptor::wait_read, std::move(wait));
    if (failed || !state->inotify.is_open()) co_return;
    state->drain();
    state->watch_subdirectories();
    state->changed();
  }
}

}  // namespace mailid::identity
