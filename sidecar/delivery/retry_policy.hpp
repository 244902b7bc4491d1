#pragma once

#include "common/base/clock.hpp"
#include "common/base/random.hpp"
#include "common/catalogue/catalogue.hpp"

namespace mailid::delivery {

/// Whether a refusal may pass while the app waits.
enum class Again : std::uint8_t {
  Never,   ///< it won't pass within a minute
  Once,    ///< a second attempt may find another connection; a third one would only hurt
  Soon,    ///< a connection or a server that was busy
  Slowly,  ///< too much, too fast: the whole identity waits
};

/// By the catalogue's class, less what is known to last longer than any app waits.
Again when_again(catalogue::Reason reason);

/// How long to wait after the `attempts`th attempt (1, 2, ...): doubling from 250 ms to 4 s for Soon and Once, from
/// 4 s to 16 s for Slowly, each moved by up to a quarter, so that messages which failed together don't return
/// together.
base::Duration back_off(Again again, unsigned attempts, base::Random& random);

}  // namespace mailid::delivery
