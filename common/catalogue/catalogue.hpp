#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/base/expected.hpp"
#include "common/catalogue/reason.hpp"

namespace mailid::catalogue {

/// Whose affair a failure is; it decides what happens to the message and to the identity (design: reply classes).
enum class Class : std::uint8_t {
  Account,        ///< the account or its credential: the identity waits, the message does not fail
  Configuration,  ///< something a person must change: the identity waits, the message does not fail
  Message,        ///< this very message: the app gets the provider's permanent reply, word for word
  Transient,      ///< passes by itself: try again
  Rate,           ///< too much, too fast: slow the whole identity down
};

/// What is written down about one reason.
struct Entry {
  Reason reason;
  std::string_view code;     ///< the reason code, CamelCase
  Class cls;                 ///< whose affair it is
  std::string_view message;  ///< one sentence: what went wrong
  std::string_view cure;     ///< one sentence: what to do
};

/// All entries, in the order of Reason.
std::span<const Entry> entries();
/// The entry of a reason; every reason has one.
const Entry& entry(Reason reason);
/// The reason code, for example `InvalidClient`.
std::string_view code(Reason reason);

/// A failure as rooms hand it on: the catalogue's reason, and what only this case knows (a host, a field,
/// the provider's own words). Never holds a secret.
struct Failure {
  Reason reason;
  std::string context;
};

/// `message of the reason: context. cure`, for people.
std::string describe(const Failure& failure);

/// A value, or a failure that is in the catalogue.
template <class T>
using Result = base::Expected<T, Failure>;

}  // namespace mailid::catalogue
