#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/secret.hpp"
#include "common/catalogue/catalogue.hpp"
#include "common/contract/identity.hpp"

namespace mailid::identity {

/// One identity at one moment: settings and token that the operator wrote together. Never changes; whoever
/// holds it keeps it whole while newer ones come.
struct Credentials {
  contract::Identity settings;
  std::shared_ptr<const base::Secret> token;
  std::uint64_t generation = 0;  ///< grows whenever settings or token change; never 0, never used twice
  base::Time expires_at;
  base::Time seen_at;  ///< when this program first read this token
};
using CredentialsPtr = std::shared_ptr<const Credentials>;

/// Hands out what is needed to send as an identity. Tests give one of their own (tests/fakes/fake_token_source.hpp).
class TokenSource {
 public:
  virtual ~TokenSource() = default;

  /// What is known of `identity`, cheap enough for every message. Fails with IdentityMissing where there never
  /// was one, TokenMissing where its files are incomplete, TokenExpired where its token has ended.
  virtual catalogue::Result<CredentialsPtr> current(std::string_view identity) = 0;
  /// The same after looking at the files again: before each AUTH and after a 535.
  virtual catalogue::Result<CredentialsPtr> refresh(std::string_view identity) = 0;
};

}  // namespace mailid::identity
