#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/catalogue/catalogue.hpp"
#include "operator/oauth/http_post.hpp"

struct ssl_ctx_st;
struct x509_st;

namespace mailid::oauth {

/// Everything that one exchange may receive, with TLS's own share: certificates, headers and the answer.
inline constexpr std::size_t kMaxReceived = 4 * kMaxAnswer;

/// Watches the TLS of one exchange from inside OpenSSL, where cpprestsdk has neither a limit nor a reason.
///
/// The library reads headers and chunks of any size into memory, and says `Error in SSL handshake` whatever it was.
/// Here each record is counted before it is read, the peer's certificate must be for the host (SAN only), and what
/// is wrong with it is remembered. Whoever uses the context is the only thread from then on.
class TlsGuard {
 public:
  /// @param roots  PEM of more roots to believe besides the system's, may be empty
  /// Fails with TokenEndpointCertificate where they are not PEM certificates.
  static catalogue::Result<std::shared_ptr<TlsGuard>> make(std::string host, const std::string& roots);

  /// Makes a fresh client context believe the roots, take TLS 1.2 or newer, and report here. This object must outlive
  /// every session of the context.
  /// @param too_much  called once, from inside OpenSSL, when more than kMaxReceived came: end the connection soon
  void attach(ssl_ctx_st& context, std::function<void()> too_much);

  /// Whether more came than kMaxReceived.
  bool overflowed() const { return received_ > kMaxReceived; }
  /// OpenSSL's words for what is wrong with the peer's certificate; empty where nothing is, or none came.
  const std::string& certificate_fault() const { return fault_; }

 private:
  struct Sight;

  struct FreeCertificate {
    void operator()(x509_st* certificate) const noexcept;
  };
  using Certificates = std::vector<std::unique_ptr<x509_st, FreeCertificate>>;

  TlsGuard(std::string host, Certificates roots) : host_(std::move(host)), roots_(std::move(roots)) {}
  static Certificates read_certificates(const std::string& pem);
  void count(std::size_t bytes);

  std::string host_;
  Certificates roots_;
  std::function<void()> too_much_;
  std::size_t received_ = 0;
  std::string fault_;
};

}  // namespace mailid::oauth
