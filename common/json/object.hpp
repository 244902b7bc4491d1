#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace mailid::json {

/// Objects and arrays may be nested this deep; nlohmann's dump() and copy recurse, so depth must have an end.
inline constexpr int kMaxDepth = 64;
/// A text may have this many keys and values: as a value `{},` takes thirty times the memory that it takes as a text.
inline constexpr std::size_t kMaxParts = 250'000;

/// The value of a JSON text; nothing where it is not JSON, not UTF-8, nested deeper than kMaxDepth or of more than
/// kMaxParts.
std::optional<nlohmann::json> parse(std::string_view text);

/// Reads the members of one JSON object and collects a sentence about each that is wrong, with its path.
///
/// Every reader answers nothing where the member is missing (or null) and where it is wrong; only the second
/// is noted. So a caller reads everything first, then looks once whether anything was wrong.
class Object {
 public:
  /// `value` and `wrong` must outlive this; `path` is where the object stands, for example `spec.smtp`.
  Object(const nlohmann::json& value, std::string path, std::vector<std::string>& wrong);

  bool has(const char* name) const;
  /// A string of at most `max_bytes`.
  std::optional<std::string> text(const char* name, std::size_t max_bytes = 4096) const;
  /// A string that must be there and not be empty; notes it where it is not. Empty then.
  std::string required_text(const char* name, std::size_t max_bytes = 4096) const;
  /// A whole number in [least, most].
  std::optional<std::int64_t> integer(const char* name, std::int64_t least = 0,
                                      std::int64_t most = std::numeric_limits<std::int64_t>::max()) const;
  /// A list of strings, at most `max_items`.
  std::optional<std::vector<std::string>> texts(const char* name, std::size_t max_items = 1000) const;
  /// The object under this name; an empty one where it is missing or wrong.
  Object object(const char* name) const;
  /// The member as it is, or nullptr.
  const nlohmann::json* member(const char* name) const;

  /// Notes that a member is wrong: `<path>.<name> <what>`.
  void complain(std::string_view name, std::string_view what) const;

 private:
  const nlohmann::json* value_;  // not owned; nullptr for a missing object
  std::string path_;
  std::vector<std::string>* wrong_;
};

/// The notes as one text: `a must be ...; b must be ...`.
std::string join(const std::vector<std::string>& notes);

}  // namespace mailid::json
