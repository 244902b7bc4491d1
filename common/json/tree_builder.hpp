#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace mailid::json {

/// Makes a value of what nlohmann's SAX reader finds, within limits, in a time that grows with the text alone.
///
/// The library's own parser with a callback looks through all neighbours of each object that ends: a text of 3 MB
/// keeps it busy for many minutes.
class TreeBuilder {
 public:
  struct Limits {
    std::size_t parts = 0;  ///< keys and values; more end the reading. 0: any number
    bool leave_out_deep =
        false;  ///< what is nested deeper than kMaxDepth is left out, else it ends the reading
  };
  /// An object in a list that is a member of the outermost object: the member's name, and the object to be taken.
  using Element = std::function<void(std::string_view member, nlohmann::json& object)>;

  explicit TreeBuilder(Limits limits) : limits_(limits) {}
  /// Hands each such object to `taken` instead of keeping it.
  TreeBuilder(Limits limits, Element taken) : limits_(limits), taken_(std::move(taken)) {}

  /// The value; nothing where the text is not JSON, not UTF-8 or beyond the limits.
  std::optional<nlohmann::json> build(std::string_view text);

  // What the reader calls.
  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(nlohmann::json::number_integer_t value) { return add(value); }
  bool number_unsigned(nlohmann::json::number_unsigned_t value) { return add(value); }
  bool number_float(nlohmann::json::number_float_t value, const std::string&) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(nlohmann::json::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(nlohmann::json::object()); }
  bool key(std::string& name);
  bool end_object();
  bool start_array(std::size_t) { return open(nlohmann::json::array()); }
  bool end_array() { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) { return false; }

 private:
  bool count();
  bool add(nlohmann::json value);
  nlohmann::json* put(nlohmann::json value);
  bool open(nlohmann::json container);
  bool close();

  Limits limits_;
  Element taken_;
  nlohmann::json root_;
  std::vector<nlohmann::json*> open_;  ///< containers, the outermost first; an address stays while it is open
  std::size_t left_out_ = 0;           ///< containers open below what is left out
  std::size_t parts_ = 0;
  std::string key_;
  std::string member_;  ///< the last key of the outermost object
};

}  // namespace mailid::json
