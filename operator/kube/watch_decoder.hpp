#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/expected.hpp"
#include "operator/kube/object_reader.hpp"

namespace mailid::kube {

/// Cuts the bytes of a watch into its lines. No I/O.
class WatchDecoder {
 public:
  /// Longer than the largest object that etcd takes (1.5 MiB) with room for escapes.
  static constexpr std::size_t kLineLimit = std::size_t{8} * 1024 * 1024;

  void feed(std::string_view bytes);
  /// The next complete line; nothing until more bytes come. A sentence where the bytes are no watch: then it is over.
  base::Expected<std::optional<WatchLine>, std::string> next();

 private:
  std::string buffer_;
  std::size_t begin_ = 0;     ///< of the line that comes next
  std::size_t searched_ = 0;  ///< no newline from begin_ to here
};

}  // namespace mailid::kube
