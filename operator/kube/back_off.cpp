#include "operator/kube/back_off.hpp"

#include <algorithm>

namespace mailid::kube {

base::Duration BackOff::next(base::SteadyTime now) {
  const bool well = step_ == base::Duration::zero() || now - last_ > limits_.well_after;
  step_ = well ? limits_.first : std::min(step_ * 2, limits_.longest);
  last_ = now;
  const auto half = step_ / 2;
  return step_ - base::Duration(base::random_below(*random_, static_cast<std::uint64_t>(half.count()) + 1));
}

}  // namespace mailid::kube
