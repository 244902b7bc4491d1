#include "sidecar/delivery/retry_policy.hpp"

#include <algorithm>

namespace mailid::delivery {
namespace {

using catalogue::Class;
using catalogue::Reason;

struct Exception {
  Reason reason;
  Again again;
};

constexpr Exception kExceptions[] = {
    // The connection lost its login; a fresh one has its own.
    {Reason::NotAuthenticated, Again::Once},
    // Passing, but not while an app waits.
    {Reason::LoginThrottled, Again::Never},
    {Reason::RelayDailyLimit, Again::Never},
    {Reason::RecipientRateLimit, Again::Never},
    {Reason::TokenMissing, Again::Never},
    {Reason::TokenExpired, Again::Never},
    {Reason::DiskFull, Again::Never},
    {Reason::DeadlineExceeded, Again::Never},
    // Sent once more it might arrive twice.
    {Reason::DeliveryStateUnknown, Again::Never},
};

}  // namespace

Again when_again(Reason reason) {
  for (const auto& exception : kExceptions) {
    if (exception.reason == reason) return exception.again;
  }
  switch (catalogue::entry(reason).cls) {
    case Class::Transient:
      return Again::Soon;
    case Class::Rate:
      return Again::Slowly;
    case Class::Account:
    case Class::Configuration:
    case Class::Message:
      break;
  }
  return Again::Never;
}

base::Duration back_off(Again again, unsigned attempts, base::Random& random) {
  const bool slowly = again == Again::Slowly;
  const std::int64_t first = slowly ? 4'000 : 250;
  const std::int64_t most = slowly ? 16'000 : 4'000;
  const auto doubled = std::min(most, first << std::min(attempts - 1, 10U));
  const auto jitter =
      static_cast<std::int64_t>(base::random_below(random, static_cast<std::uint64_t>(doubled / 2)));
  return base::Duration(doubled - doubled / 4 + jitter);
}

}  // namespace mailid::delivery
