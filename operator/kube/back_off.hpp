#pragma once

#include "common/base/clock.hpp"
#include "common/base/random.hpp"

namespace mailid::kube {

/// The waits between tries of something that fails: doubled each time up to a longest, each shortened at random by
/// up to half; from the start again after a time without failure.
class BackOff {
 public:
  struct Limits {
    base::Duration first{800};
    base::Duration longest{30'000};
    base::Duration well_after{120'000};  ///< so long without a failure means well
  };

  /// `random` must outlive this.
  BackOff(base::Random& random, Limits limits) : random_(&random), limits_(limits) {}

  /// The wait after a failure that happened now.
  base::Duration next(base::SteadyTime now);

 private:
  base::Random* random_;
  Limits limits_;
  base::Duration step_{};
  base::SteadyTime last_;
};

}  // namespace mailid::kube
