#include "operator/reconcile/schedule.hpp"

#include <algorithm>

namespace mailid::reconcile {
namespace {

// 1,024 steps are enough to spread 10,000 identities over an hour evenly.
constexpr std::int64_t kSteps = 1024;

/// From -width/2 to +width/2, by the hash.
base::Duration shift(base::Duration width, std::uint64_t hash) {
  return width * static_cast<std::int64_t>(hash % kSteps) / kSteps - width / 2;
}

struct Patience {
  base::Duration first;
  base::Duration longest;
};

Patience patience(Attempt attempt, catalogue::Class cls) {
  const bool passes = cls == catalogue::Class::Transient || cls == catalogue::Class::Rate;
  if (attempt == Attempt::Precondition) return {base::Duration(2'000), base::Duration(60'000)};
  if (attempt == Attempt::TokenRequest && passes) return {base::Duration(5'000), base::Duration(300'000)};
  return {base::Duration(15'000), base::Duration(600'000)};
}

}  // namespace

base::Time next_refresh(base::Time issued, base::Time expires, std::uint64_t identity_hash) {
  if (expires <= issued) return issued;
  const auto life = expires - issued;
  return issued + life / 2 + shift(life / 10, identity_hash);
}

base::Duration retry_delay(Attempt attempt, catalogue::Class cls, std::uint32_t count,
                           std::uint64_t identity_hash) {
  const auto [first, longest] = patience(attempt, cls);
  const auto doublings = std::min(count > 0 ? count - 1 : 0U, 16U);
  const auto delay = std::min(first * (std::int64_t{1} << doublings), longest);
  // Another jitter at each count, so that two identities that once met don't meet each time.
  return delay + shift(delay / 5, identity_hash + 389 * std::uint64_t{count});
}

}  // namespace mailid::reconcile
