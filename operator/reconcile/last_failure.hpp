#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "operator/reconcile/observation.hpp"
#include "operator/reconcile/schedule.hpp"

namespace mailid::reconcile {

/// A try that failed.
struct FailedTry {
  Attempt kind;
  std::string attempt;  ///< its fingerprint, see token_attempt()
  catalogue::Failure failure;
  std::optional<std::chrono::seconds> retry_after;  ///< what the other side asked for; obeyed in full
};

/// status.lastFailure after a failed try: counts on where the same try failed before, else from 1. Without a
/// retryTime where only a change of the spec or of the operator's configuration can help.
api::LastFailure noted(const Observation& seen, const FailedTry& failed);

/// The catalogue's reason of a code; nothing where it has none of this name.
std::optional<catalogue::Reason> reason_of(std::string_view code);

}  // namespace mailid::reconcile
