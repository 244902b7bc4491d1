#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/secret.hpp"
#include "common/net/error.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace mailid::net {

/// OpenSSL's objects with their owners; the types themselves stay in this room.
struct FreeSsl {
  void operator()(ssl_st* ssl) const noexcept;
};
using Ssl = std::unique_ptr<ssl_st, FreeSsl>;
using SslContext = std::shared_ptr<ssl_ctx_st>;

/// Whom a client believes.
struct TrustRoots {
  std::string
      system_path;        ///< a folder of hashed certificates (small in memory) or one PEM file; empty: none
  std::string extra_pem;  ///< more roots, PEM, may be empty
};

/// The client's side of TLS: 1.2 or newer, the peer verified by chain and host name (SAN only), with SNI.
///
/// Costs nothing until the first handshake: OpenSSL's part is made then, and can be let go again.
class TlsClientContext {
 public:
  explicit TlsClientContext(TrustRoots roots) : roots_(std::move(roots)) {}

  /// One session that will accept only a certificate for `host` (a name or an address).
  /// Fails with Certificate where the roots can't be read.
  Result<Ssl> new_session(const std::string& host);
  /// Frees the memory until the next session; sessions that are open go on.
  void release() { context_.reset(); }

 private:
  TrustRoots roots_;
  SslContext context_;
};

/// The server's side of TLS: a certificate chain and its key, from memory, changed while it runs.
class TlsServerContext {
 public:
  /// Takes effect for handshakes that begin from now on. Where chain or key is unusable or they don't
  /// belong together it fails with Certificate and what was used before stays in use.
  Result<base::Done> use(std::string_view chain_pem, const base::Secret& key_pem);
  bool ready() const { return context_ != nullptr; }
  /// One session as server; fails with Certificate before the first successful use().
  Result<Ssl> new_session() const;

 private:
  SslContext context_;
};

}  // namespace mailid::net
