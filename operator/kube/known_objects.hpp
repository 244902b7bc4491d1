#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "operator/kube/client.hpp"

namespace mailid::kube {

/// An object of a list or watch with what is needed to recognise it.
struct ListedObject {
  std::string key;  ///< `namespace/name`, or `name` where it has no namespace
  std::string uid;
  std::string resource_version;
  std::string json;  ///< without metadata.managedFields
};

/// Remembers which objects exist, and so tells what an object that comes along is: new, changed, made anew or gone.
class KnownObjects {
 public:
  using Report = std::function<void(WatchEvent)>;

  /// An object that is there, from a list or a watch. Reports nothing where uid and resourceVersion are known.
  void present(ListedObject object, const Report& report);
  /// An object that a watch says is gone.
  void absent(ListedObject object, const Report& report);

  /// Begins a list: what is not present() until end_list() is gone.
  void begin_list() { ++round_; }
  void end_list(const Report& report);
  std::size_t size() const { return objects_.size(); }

 private:
  struct Known {
    std::string uid;
    std::string resource_version;
    unsigned round = 0;  ///< the last list in which it was
  };

  std::map<std::string, Known, std::less<>> objects_;
  unsigned round_ = 0;
};

}  // namespace mailid::kube
