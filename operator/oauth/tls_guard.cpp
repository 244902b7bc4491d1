#include "operator/oauth/tls_guard.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <utility>

#include <boost/asio/ip/address.hpp>

namespace mailid::oauth {
namespace {

/// Without it OpenSSL would ask for the password of an encrypted file on the terminal.
int no_password(char*, int, int, void*) {
  return -1;
}

}  // namespace

/// What OpenSSL calls for each message; a member so that it may use what is private.
struct TlsGuard::Sight {
  static void message(int sent, int, int type, const void* bytes, std::size_t size, SSL* session,
                      void* guard) {
    auto& self = *static_cast<TlsGuard*>(guard);
    const auto* octets = static_cast<const unsigned char*>(bytes);
    if (sent == 0 && type == SSL3_RT_HEADER && size == SSL3_RT_HEADER_LENGTH) {
      self.count(size + (std::size_t{octets[3]} << 8U) + octets[4]);
    }
    // The alert that we send is the moment at which the verdict on the certificate is there for certain.
    const auto verdict = SSL_get_verify_result(session);
    if (sent == 1 && type == SSL3_RT_ALERT && verdict != X509_V_OK) {
      self.fault_ = X509_verify_cert_error_string(verdict);
    }
  }
};

void TlsGuard::FreeCertificate::operator()(x509_st* certificate) const noexcept {
  X509_free(certificate);
}

TlsGuard::Certificates TlsGuard::read_certificates(const std::string& pem) {
  Certificates certificates;
  const std::unique_ptr<BIO, int (*)(BIO*)> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                 BIO_free);
  while (auto* certificate = PEM_read_bio_X509(text.get(), nullptr, no_password, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) certificates.clear();
  return certificates;
}

catalogue::Result<std::shared_ptr<TlsGuard>> TlsGuard::make(std::string host, const std::string& roots) {
  Certificates certificates;
  if (!roots.empty()) {
    certificates = read_certificates(roots);
    if (certificates.empty()) {
      return base::Unexpected<catalogue::Failure>{{catalogue::Reason::TokenEndpointCertificate,
                                                   "the caBundle for " + host + " is not PEM certificates"}};
    }
  }
  return std::shared_ptr<TlsGuard>(new TlsGuard(std::move(host), std::move(certificates)));
}

void TlsGuard::attach(ssl_ctx_st& context, std::function<void()> too_much) {
  too_much_ = std::move(too_much);
  SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION);
  SSL_CTX_set_options(&context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  auto* store = SSL_CTX_get_cert_store(&context);
  for (const auto& root : roots_) X509_STORE_add_cert(store, root.get());

  auto* rules = SSL_CTX_get0_param(&context);
  X509_VERIFY_PARAM_set_hostflags(rules,
                                  X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  boost::system::error_code not_an_address;
  boost::asio::ip::make_address(host_, not_an_address);
  if (not_an_address) {
    X509_VERIFY_PARAM_set1_host(rules, host_.data(), host_.size());
  } else {
    X509_VERIFY_PARAM_set1_ip_asc(rules, host_.c_str());
  }
  SSL_CTX_set_msg_callback(&context, Sight::message);
  SSL_CTX_set_msg_callback_arg(&context, this);
}

void TlsGuard::count(std::size_t bytes) {
  const bool before = overflowed();
  received_ += bytes;
  if (!before && overflowed()) too_much_();
}

}  // namespace mailid::oauth
