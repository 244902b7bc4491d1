#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sidecar/identity/token_source.hpp"

namespace mailid::identity {

/// All identities that a pod has. Tests give their own (tests/fakes/fake_token_source.hpp).
class Identities : public TokenSource {
 public:
  /// The names of all that were ever complete or have files now, in alphabetical order.
  virtual std::vector<std::string> names() const = 0;
  /// The identity that `sender` goes out through, by what is known now (see pick_identity()).
  virtual std::string pick(std::string_view sender, std::string_view preferred) = 0;
};

/// `preferred` if `sender` may use it, else the first of `known` that allows the sender; `preferred` where none
/// does, so that the refusal names the pod's own identity. `known` is in alphabetical order.
std::string pick_identity(const std::vector<CredentialsPtr>& known, std::string_view sender,
                          std::string_view preferred);

}  // namespace mailid::identity
