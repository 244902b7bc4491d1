#include "common/json/object.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "common/json/tree_builder.hpp"

namespace mailid::json {

std::optional<nlohmann::json> parse(std::string_view text) {
  TreeBuilder builder({.parts = kMaxParts, .leave_out_deep = false});
  return builder.build(text);
}

Object::Object(const nlohmann::json& value, std::string path, std::vector<std::string>& wrong)
    : value_(&value), path_(std::move(path)), wrong_(&wrong) {
  if (value.is_object()) return;
  wrong_->push_back((path_.empty() ? std::string("the document") : path_) + " must be an object");
  value_ = nullptr;
}

const nlohmann::json* Object::member(const char* name) const {
  if (value_ == nullptr) return nullptr;
  const auto found = value_->find(name);
  return found == value_->end() || found->is_null() ? nullptr : &*found;
}

bool Object::has(const char* name) const {
  return member(name) != nullptr;
}

void Object::complain(std::string_view name, std::string_view what) const {
  std::string note = path_;
  if (!note.empty()) note += '.';
  wrong_->push_back(note.append(name).append(" ").append(what));
}

std::optional<std::string> Object::text(const char* name, std::size_t max_bytes) const {
  const auto* found = member(name);
  if (found == nullptr) return std::nullopt;
  if (!found->is_string()) {
    complain(name, "must be a string");
    return std::nullopt;
  }
  const auto& text = found->get_ref<const std::string&>();
  if (text.size() > max_bytes) {
    complain(name, "must have at most " + std::to_string(max_bytes) + " bytes");
    return std::nullopt;
  }
  return text;
}

std::string Object::required_text(const char* name, std::size_t max_bytes) const {
  const auto* found = member(name);
  if (found == nullptr || (found->is_string() && found->get_ref<const std::string&>().empty())) {
    complain(name, "must be given");
    return {};
  }
  return text(name, max_bytes).value_or("");
}

std::optional<std::int64_t> Object::integer(const char* name, std::int64_t least, std::int64_t most) const {
  const auto* found = member(name);
  if (found == nullptr) return std::nullopt;
  const bool fits = found->is_number_integer() &&
                    (!found->is_number_unsigned() ||
                     found->get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()});
  if (fits && found->get<std::int64_t>() >= least && found->get<std::int64_t>() <= most) {
    return found->get<std::int64_t>();
  }
  complain(name, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<std::vector<std::string>> Object::texts(const char* name, std::size_t max_items) const {
  const auto* found = member(name);
  if (found == nullptr) return std::nullopt;
  if (!found->is_array() || found->size() > max_items) {
    complain(name, "must be a list of at most " + std::to_string(max_items) + " strings");
    return std::nullopt;
  }
  std::vector<std::string> all;
  for (const auto& item : *found) {
    if (!item.is_string()) {
      complain(std::string(name) + "[" + std::to_string(all.size()) + "]", "must be a string");
      return std::nullopt;
    }
    all.push_back(item.get<std::string>());
  }
  return all;
}

Object Object::object(const char* name) const {
  static const nlohmann::json kEmpty = nlohmann::json::object();
  const auto* found = member(name);
  return {found == nullptr ? kEmpty : *found, path_.empty() ? name : path_ + "." + name, *wrong_};
}

std::string join(const std::vector<std::string>& notes) {
  std::string all;
  for (const auto& note : notes) all.append(all.empty() ? "" : "; ").append(note);
  return all;
}

}  // namespace mailid::json
