#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

namespace mailid::kube {

/// Where those who wait for something from another thread leave what is to be called with it. Each is called once: with
/// what arrives for it, or with something else when the desk closes. May be used from any thread.
template <class Arrival>
class WaitingDesk {
 public:
  /// Called under the desk's lock: it must not use the desk, and should only hand the arrival on.
  using Resume = std::function<void(Arrival)>;

  /// @return the ticket that arrived() needs
  std::uint64_t wait(Resume resume) {
    const std::lock_guard lock(mutex_);
    const auto ticket = ++last_;
    waiting_.emplace(ticket, std::move(resume));
    return ticket;
  }

  /// What comes for a ticket that nobody waits with any more is dropped.
  void arrived(std::uint64_t ticket, Arrival arrival) {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(ticket);
    if (found == waiting_.end()) return;
    // Under the lock, which the desk's end takes too: until then what a waiter resumes on is there.
    found->second(std::move(arrival));
    waiting_.erase(found);
  }

  /// Gives `instead` to all who wait.
  void close(const Arrival& instead) {
    const std::lock_guard lock(mutex_);
    for (auto& [ticket, resume] : waiting_) resume(instead);
    waiting_.clear();
  }

 private:
  std::mutex mutex_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Resume> waiting_;
};

}  // namespace mailid::kube
