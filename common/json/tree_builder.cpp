#include "common/json/tree_builder.hpp"

#include <utility>

#include "common/json/object.hpp"

namespace mailid::json {

std::optional<nlohmann::json> TreeBuilder::build(std::string_view text) {
  if (!nlohmann::json::sax_parse(text, this)) return std::nullopt;
  return std::move(root_);
}

bool TreeBuilder::count() {
  return limits_.parts == 0 || ++parts_ <= limits_.parts;
}

bool TreeBuilder::key(std::string& name) {
  if (left_out_ == 0) key_ = std::move(name);
  if (open_.size() == 1 && left_out_ == 0) member_ = key_;
  return count();
}

bool TreeBuilder::add(nlohmann::json value) {
  if (left_out_ == 0) put(std::move(value));
  return count();
}

nlohmann::json* TreeBuilder::put(nlohmann::json value) {
  if (open_.empty()) return &(root_ = std::move(value));
  auto& parent = *open_.back();
  if (parent.is_array()) return &parent.emplace_back(std::move(value));
  return &(parent[key_] = std::move(value));
}

bool TreeBuilder::open(nlohmann::json container) {
  const bool too_deep = open_.size() == static_cast<std::size_t>(kMaxDepth);
  if (too_deep && !limits_.leave_out_deep) return false;
  if (too_deep || left_out_ > 0) {
    ++left_out_;
  } else {
    open_.push_back(put(std::move(container)));
  }
  return count();
}

bool TreeBuilder::close() {
  if (left_out_ > 0) {
    --left_out_;
  } else {
    open_.pop_back();
  }
  return true;
}

bool TreeBuilder::end_object() {
  const bool element = taken_ && left_out_ == 0 && open_.size() == 3 && open_[1]->is_array();
  if (!element) return close();
  auto object = std::move(*open_.back());
  open_.pop_back();
  open_.back()->get_ref<nlohmann::json::array_t&>().pop_back();
  taken_(member_, object);
  return true;
}

}  // namespace mailid::json
