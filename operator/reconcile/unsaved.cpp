#include "operator/reconcile/unsaved.hpp"

#include <fmt/format.h>
#include <utility>

#include "operator/reconcile/decide.hpp"

namespace mailid::reconcile {
namespace {

std::string key_of(const Observation& seen) {
  return fmt::format("{}/{}", seen.identity.metadata.name_space, seen.identity.metadata.name);
}

}  // namespace

void Unsaved::keep(const Observation& seen, StoredToken token) {
  entry(seen).token = std::move(token);
}

void Unsaved::keep(const Observation& seen, api::LastFailure failure) {
  entry(seen).failure = std::move(failure);
}

std::optional<StoredToken> Unsaved::token(const Observation& seen) const {
  const auto* kept = find(seen);
  if (kept == nullptr) return std::nullopt;
  const auto& token = kept->token;
  const bool fits = token && token->request == seen.desired->request && token->refresh == seen.refresh() &&
                    seen.now < refresh_time(*token, seen.hash);
  return fits ? token : std::nullopt;
}

void Unsaved::remember_failure(Observation& seen) const {
  const auto* kept = find(seen);
  if (kept == nullptr) return;
  const auto& failure = kept->failure;
  if (failure && (!seen.last_failure || failure->time >= seen.last_failure->time))
    seen.last_failure = failure;
}

void Unsaved::secret_written(const Observation& seen) {
  if (const auto kept = entries_.find(key_of(seen)); kept != entries_.end()) kept->second.token.reset();
}

void Unsaved::status_written(const Observation& seen) {
  const auto kept = entries_.find(key_of(seen));
  if (kept == entries_.end()) return;
  kept->second.failure.reset();
  if (!kept->second.token || why_token(seen).empty()) entries_.erase(kept);
}

/// Nothing where what is kept was of another object of that name.
const Unsaved::Entry* Unsaved::find(const Observation& seen) const {
  const auto kept = entries_.find(key_of(seen));
  if (kept == entries_.end() || kept->second.uid != seen.identity.metadata.uid) return nullptr;
  return &kept->second;
}

Unsaved::Entry& Unsaved::entry(const Observation& seen) {
  auto& kept = entries_[key_of(seen)];
  if (kept.uid != seen.identity.metadata.uid) kept = {seen.identity.metadata.uid, {}, {}};
  return kept;
}

}  // namespace mailid::reconcile
