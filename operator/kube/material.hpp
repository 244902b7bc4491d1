#pragma once

#include <string>

#include "common/base/expected.hpp"
#include "common/base/secret.hpp"

namespace mailid::kube {

/// Bytes to log in or to verify with: in a file that somebody else replaces from time to time (a mounted token, a
/// certificate), or given here.
class Material {
 public:
  /// Nothing.
  Material() = default;
  static Material from_file(std::string path);
  static Material from_text(base::Secret text);

  bool empty() const { return path_.empty() && text_.empty(); }
  /// Where it is read from; empty where it was given as text.
  const std::string& path() const { return path_; }
  /// The bytes as they are now; nothing but a sentence that names the file where it can't be read, is empty or is
  /// larger than 1 MiB.
  base::Expected<base::Secret, std::string> read() const;
  /// A second owner.
  Material clone() const;

 private:
  std::string path_;
  base::Secret text_;
};

}  // namespace mailid::kube
