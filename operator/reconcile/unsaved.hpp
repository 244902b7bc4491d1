#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "operator/reconcile/observation.hpp"

namespace mailid::reconcile {

/// What came of identities and could not be written down yet: the only memory that the controller has beside the
/// cluster. An identity that was made anew under its old name has none.
class Unsaved {
 public:
  /// A token that was paid for with a call, kept until it is in its Secret.
  void keep(const Observation& seen, StoredToken token);
  /// A failure, kept so that we back off even where no status can be written.
  void keep(const Observation& seen, api::LastFailure failure);

  /// The kept token, where it is still the one that is wanted and not yet due to be refreshed.
  std::optional<StoredToken> token(const Observation& seen) const;
  /// Puts the kept failure into the observation, where status has none that is later.
  void remember_failure(Observation& seen) const;

  /// The token is in its Secret.
  void secret_written(const Observation& seen);
  /// The failure is in the status. A token that nobody wants any more is forgotten too.
  void status_written(const Observation& seen);
  /// There is no such identity any more; `key` is `namespace/name`.
  void forget(const std::string& key) { entries_.erase(key); }

 private:
  struct Entry {
    std::string uid;
    std::optional<StoredToken> token;
    std::optional<api::LastFailure> failure;
  };

  const Entry* find(const Observation& seen) const;
  Entry& entry(const Observation& seen);

  std::map<std::string, Entry, std::less<>> entries_;  ///< by key
};

}  // namespace mailid::reconcile
