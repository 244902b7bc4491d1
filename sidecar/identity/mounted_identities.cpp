#include "sidecar/identity/mounted_identities.hpp"

#include <set>

#include "common/base/encoding.hpp"
#include "sidecar/identity/identity_files.hpp"

namespace mailid::identity {
namespace {

using catalogue::Failure;
using catalogue::Reason;

/// The folders in `folder` that can be identities; names with a dot in front are the kubelet's.
std::set<std::string> folders_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  std::error_code failed;
  std::filesystem::directory_iterator entry(folder, failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    std::error_code gone;
    auto name = entry->path().filename().string();
    if (!name.starts_with('.') && entry->is_directory(gone)) names.insert(std::move(name));
  }
  return names;
}

bool same(const Credentials& a, const Credentials& b) {
  return a.settings == b.settings && *a.token == *b.token && a.expires_at == b.expires_at;
}

}  // namespace

MountedIdentities::MountedIdentities(std::filesystem::path base, const base::Clock& clock,
                                     const base::Log& log)
    : base_(std::move(base)), clock_(&clock), log_(&log) {
  read_all();
}

void MountedIdentities::watch(asio::any_io_executor executor) {
  executor_ = std::move(executor);
  start_watch(*executor_);
  if (!watch_) {
    log_->warning("identity folder can't be watched, so it is looked at for each message",
                  {{"folder", base_.native()}});
  }
}

void MountedIdentities::start_watch(const asio::any_io_executor& executor) {
  watch_ = DirectoryWatch::start(executor, base_, [this] {
    read_all();
    // A folder that went away takes its watch along; if it comes back, only looking finds it.
    std::error_code failed;
    if (!std::filesystem::exists(base_, failed)) watch_.reset();
  });
  // What changed between the first look and the watch is seen now.
  if (watch_) read_all();
}

void MountedIdentities::look_if_blind() {
  if (watch_) return;
  if (executor_) start_watch(*executor_);
  if (!watch_) read_all();
}

catalogue::Result<CredentialsPtr> MountedIdentities::current(std::string_view identity) {
  look_if_blind();
  return usable(identity);
}

catalogue::Result<CredentialsPtr> MountedIdentities::refresh(std::string_view identity) {
  read(std::string(identity));
  return usable(identity);
}

std::vector<std::string> MountedIdentities::names() const {
  std::vector<std::string> names;
  names.reserve(known_.size());
  for (const auto& [name, known] : known_) names.push_back(name);
  return names;
}

std::string MountedIdentities::pick(std::string_view sender, std::string_view preferred) {
  look_if_blind();
  std::vector<CredentialsPtr> complete;
  for (const auto& [name, known] : known_) {
    if (known.credentials) complete.push_back(known.credentials);
  }
  return pick_identity(complete, sender, preferred);
}

void MountedIdentities::read_all() {
  auto names = folders_in(current_folder(base_));
  // What has lost its folder is looked at too: its trouble is known then, and what never was complete is forgotten.
  for (const auto& [name, known] : known_) names.insert(name);
  for (const auto& name : names) read(name);
}

void MountedIdentities::read(const std::string& name) {
  auto found = read_identity(current_folder(base_), name);
  // A swap between finding the folder and reading it takes the files away; the second look finds the new ones.
  if (!found) found = read_identity(current_folder(base_), name);

  const auto entry = known_.find(name);
  if (found) {
    accept(known_[name], std::move(*found));
    return;
  }
  if (found.error().reason == Reason::IdentityMissing &&
      (entry == known_.end() || !entry->second.credentials)) {
    known_.erase(name);
    return;
  }
  auto& known = known_[name];
  if (!known.trouble || known.trouble->context != found.error().context) {
    log_->warning("identity is not complete", {{"identity", name},
                                               {"reason", catalogue::code(found.error().reason)},
                                               {"detail", found.error().context},
                                               {"last_state_in_use", known.credentials != nullptr}});
  }
  known.trouble = std::move(found).error();
}

void MountedIdentities::accept(Known& known, Credentials fresh) {
  known.trouble.reset();
  if (known.credentials && same(*known.credentials, fresh)) return;
  const bool same_token = known.credentials && *known.credentials->token == *fresh.token;
  fresh.seen_at = same_token ? known.credentials->seen_at : clock_->now();
  fresh.generation = ++last_generation_;
  log_->info("identity loaded", {{"identity", fresh.settings.name},
                                 {"generation", fresh.generation},
                                 {"token", same_token ? "unchanged" : "new"},
                                 {"expires", base::format_rfc3339(fresh.expires_at)}});
  known.credentials = std::make_shared<const Credentials>(std::move(fresh));
}

catalogue::Result<CredentialsPtr> MountedIdentities::usable(std::string_view identity) const {
  const auto entry = known_.find(identity);
  if (entry == known_.end()) {
    return base::Unexpected{Failure{Reason::IdentityMissing, "identity " + std::string(identity)}};
  }
  const auto& known = entry->second;
  if (!known.credentials)
    return base::Unexpected{known.trouble.value_or(Failure{Reason::TokenMissing, std::string(identity)})};
  if (known.credentials->expires_at <= clock_->now()) {
    return base::Unexpected{
        Failure{Reason::TokenExpired, "identity " + std::string(identity) + ", expired at " +
                                          base::format_rfc3339(known.credentials->expires_at)}};
  }
  return known.credentials;
}

}  // namespace mailid::identity
