#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace mailid::reconcile {

/// A number that says whether a list of texts is the same as before, on any machine and in any version: the first
/// eight octets of the SHA-256 of the texts, each with its length. Tells nothing of a token that goes into it.
std::uint64_t stable_hash(std::initializer_list<std::string_view> parts);

/// The same as 16 hexadecimal digits.
std::string fingerprint(std::initializer_list<std::string_view> parts);

}  // namespace mailid::reconcile
