#include "operator/oauth/answer_members.hpp"

#include <charconv>
#include <limits>
#include <map>
#include <memory>
#include <strings.h>
#include <vector>

#include <nlohmann/json.hpp>

namespace mailid::oauth {
namespace {

/// Overwrites memory before it gives it back, so that what the JSON reader held of a token is gone.
template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  WipingAllocator(const WipingAllocator<U>&) noexcept {}

  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) noexcept {
    explicit_bzero(memory, count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  friend bool operator==(const WipingAllocator&, const WipingAllocator&) { return true; }
};

using WipedString = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;
using WipedJson = nlohmann::basic_json<std::map, std::vector, WipedString>;

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

/// Hears what the reader finds (nlohmann's SAX interface; answering false ends it) and keeps the members of the
/// outermost object.
class Listener {
 public:
  explicit Listener(AnswerMembers& members) : members_(&members) {}

  bool null() { return depth_ > 0; }
  bool boolean(bool) { return depth_ > 0; }
  bool number_integer(std::int64_t value) { return number(value); }
  bool number_unsigned(std::uint64_t value) {
    constexpr auto kMost = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    return number(static_cast<std::int64_t>(std::min(value, kMost)));
  }
  template <class Text>
  bool number_float(double value, const Text&) {
    constexpr double kExact = 9e15;  // beyond it a double is no longer a count
    return value > -kExact && value < kExact ? number(static_cast<std::int64_t>(value)) : depth_ > 0;
  }
  bool string(WipedString& value) {
    if (at_member("access_token")) members_->access_token = base::Secret(value);
    if (at_member("token_type")) members_->token_type = std::string_view(value);
    if (at_member("error")) members_->error = std::string_view(value);
    if (at_member("expires_in")) members_->expires_in = whole_number(value);
    return depth_ > 0;
  }
  bool binary(WipedJson::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(); }
  bool key(WipedString& name) {
    if (depth_ == 1) key_ = name;
    return true;
  }
  bool end_object() { return close(); }
  // An answer is an object: what begins with an array is none.
  bool start_array(std::size_t) { return depth_ > 0 && open(); }
  bool end_array() { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) { return false; }

 private:
  bool at_member(std::string_view name) const { return depth_ == 1 && key_ == name; }
  bool open() {
    ++depth_;
    return true;
  }
  bool close() {
    --depth_;
    return true;
  }
  bool number(std::int64_t value) {
    if (at_member("expires_in")) members_->expires_in = value;
    if (depth_ == 2 && key_ == "error_codes" && members_->error_code == 0) members_->error_code = value;
    return depth_ > 0;
  }

  AnswerMembers* members_;
  WipedString key_;  // of the outermost object
  std::size_t depth_ = 0;
};

}  // namespace

std::optional<AnswerMembers> read_members(std::string_view json) {
  AnswerMembers members;
  Listener listener(members);
  if (!WipedJson::sax_parse(json.begin(), json.end(), &listener)) return std::nullopt;
  return members;
}

}  // namespace mailid::oauth
