#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace mailid::admission {

/// `name` as one step of a JSON pointer (RFC 6901): `~` and `/` escaped.
std::string pointer_step(std::string_view name);

/// Collects the operations of a JSON patch (RFC 6902) to an object that stays as it is. Only `add`: what the
/// author of the pod wrote, known to us or not, is never serialised again.
class PatchBuilder {
 public:
  /// Sets a member or inserts an element; `path` is a JSON pointer.
  void add(std::string path, nlohmann::json value);
  /// Appends to the list `name` of `parent`, which stands at `parent_path` and may lack it.
  void append(const nlohmann::json& parent, std::string_view parent_path, const char* name,
              const nlohmann::json& elements);
  /// Puts `element` in front of the list `name` of `parent`, which may lack it.
  void prepend(const nlohmann::json& parent, std::string_view parent_path, const char* name,
               nlohmann::json element);
  /// Sets members of the object `name` of `parent`, which may lack it.
  void merge(const nlohmann::json& parent, std::string_view parent_path, const char* name,
             const nlohmann::json& members);

  const nlohmann::json& operations() const { return operations_; }

 private:
  nlohmann::json operations_ = nlohmann::json::array();
};

}  // namespace mailid::admission
