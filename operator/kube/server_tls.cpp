#include "operator/kube/server_tls.hpp"

#include <memory>
#include <openssl/pem.h>
#include <stdexcept>

#include "common/net/asio.hpp"

namespace mailid::kube {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
struct FreeX509 {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};

base::Secret read(const Material& material) {
  auto bytes = material.read();
  if (!bytes) throw std::runtime_error(bytes.error());
  return std::move(*bytes);
}

asio::const_buffer buffer_of(const base::Secret& secret) {
  return asio::buffer(secret.reveal());
}

/// Believes the roots of a PEM text and nobody else. The library has put the system's roots there before.
void believe_only(SSL_CTX* context, const base::Secret& pem) {
  X509_STORE* store = X509_STORE_new();
  SSL_CTX_set_cert_store(context, store);
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(pem.reveal().data(), static_cast<int>(pem.size())));
  int roots = 0;
  for (;; ++roots) {
    const std::unique_ptr<X509, FreeX509> root(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!root) break;
    X509_STORE_add_cert(store, root.get());
  }
  ERR_clear_error();
  if (roots == 0)
    throw std::runtime_error("the certificate authority of the API server is no PEM certificate");
}

}  // namespace

void set_up_tls(asio::ssl::context& context, const Trust& trust) {
  using Context = asio::ssl::context;
  context.set_options(Context::default_workarounds | Context::no_sslv3 | Context::no_tlsv1 |
                      Context::no_tlsv1_1);
  if (!trust.ca.empty()) believe_only(context.native_handle(), read(trust.ca));
  if (trust.client_certificate.empty()) return;
  const auto chain = read(trust.client_certificate);
  const auto key = read(trust.client_key);
  try {
    context.use_certificate_chain(buffer_of(chain));
    context.use_private_key(buffer_of(key), Context::pem);
  } catch (const std::exception&) {
    throw std::runtime_error("the client certificate and its key are no PEM or don't belong together");
  }
}

}  // namespace mailid::kube
