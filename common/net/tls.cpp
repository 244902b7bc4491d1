#include "common/net/tls.hpp"

#include <filesystem>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <system_error>
#include <utility>
#include <vector>

#include "common/net/asio.hpp"

namespace mailid::net {
namespace {

struct FreeObject {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, FreeObject>;
using Certificate = std::unique_ptr<X509, FreeObject>;
using Key = std::unique_ptr<EVP_PKEY, FreeObject>;

base::Unexpected<Error> unusable(std::string what) {
  ERR_clear_error();
  return base::Unexpected<Error>{{Fault::Certificate, std::move(what)}};
}

Bio reader(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// Without it OpenSSL would ask for the password of an encrypted key on the terminal.
int no_password(char*, int, int, void*) {
  return -1;
}

/// All certificates of a PEM text; nothing where one of them is damaged or there is none.
std::vector<Certificate> read_certificates(std::string_view pem) {
  std::vector<Certificate> certificates;
  const auto bio = reader(pem);
  while (auto* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) certificates.clear();
  return certificates;
}

SslContext make_context(const SSL_METHOD* method) {
  SslContext context(SSL_CTX_new(method), SSL_CTX_free);
  if (!context) return context;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // No session is ever resumed: identities share nothing, and kept connections need none.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  // One read(2) for a record and not two, for its header and its rest.
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

bool trust_path(SSL_CTX& context, const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  // OpenSSL takes a folder that does not exist and finds nothing in it later.
  if (std::filesystem::is_directory(status)) return SSL_CTX_load_verify_dir(&context, path.c_str()) == 1;
  return std::filesystem::is_regular_file(status) && SSL_CTX_load_verify_file(&context, path.c_str()) == 1;
}

Result<SslContext> make_client_context(const TrustRoots& roots) {
  auto context = make_context(TLS_client_method());
  if (!context) return unusable("OpenSSL can't make a client context");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (!roots.system_path.empty() && !trust_path(*context, roots.system_path)) {
    return unusable(roots.system_path + ": no readable folder or file of root certificates");
  }
  if (!roots.extra_pem.empty()) {
    const auto extra = read_certificates(roots.extra_pem);
    if (extra.empty()) return unusable("the extra root certificates are not PEM certificates");
    auto* store = SSL_CTX_get_cert_store(context.get());
    for (const auto& root : extra) X509_STORE_add_cert(store, root.get());
  }
  return context;
}

/// SSL_set_tlsext_host_name without the macro's old-style cast.
bool name_server(SSL& session, std::string host) {
  return SSL_ctrl(&session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) == 1;
}

bool expect_host(SSL& session, const std::string& host) {
  auto* rules = SSL_get0_param(&session);
  X509_VERIFY_PARAM_set_hostflags(rules,
                                  X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  if (!not_an_address) return X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1;
  return SSL_set1_host(&session, host.c_str()) == 1 && name_server(session, host);
}

}  // namespace

void FreeSsl::operator()(ssl_st* ssl) const noexcept {
  SSL_free(ssl);
}

Result<Ssl> TlsClientContext::new_session(const std::string& host) {
  // OpenSSL would take an empty name for "any host".
  if (host.empty() || host.find('\0') != std::string::npos) return unusable("no host name to verify");
  if (!context_) {
    auto made = make_client_context(roots_);
    if (!made) return base::Unexpected<Error>{std::move(made.error())};
    context_ = std::move(*made);
  }
  // A root that stands after a name's last dot is for the resolver; certificates are without.
  const auto name = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
  Ssl session(SSL_new(context_.get()));
  if (!session || !expect_host(*session, name)) return unusable(host + ": not a name that TLS can verify");
  SSL_set_connect_state(session.get());
  return session;
}

Result<base::Done> TlsServerContext::use(std::string_view chain_pem, const base::Secret& key_pem) {
  const auto chain = read_certificates(chain_pem);
  if (chain.empty()) return unusable("the certificate chain is not PEM");
  const auto key_text = reader(key_pem.reveal());
  const Key key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_password, nullptr));
  if (!key) return unusable("the private key is not PEM without a password");

  auto context = make_context(TLS_server_method());
  if (!context) return unusable("OpenSSL can't make a server context");
  SSL_CTX_set_num_tickets(context.get(), 0);
  bool taken = SSL_CTX_use_certificate(context.get(), chain.front().get()) == 1;
  for (std::size_t i = 1; taken && i < chain.size(); ++i) {
    taken = SSL_CTX_add1_chain_cert(context.get(), chain[i].get()) == 1;
  }
  if (!taken) return unusable("OpenSSL does not take the certificate chain");
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return unusable("the private key does not belong to the certificate");
  }
  context_ = std::move(context);
  return base::Done{};
}

Result<Ssl> TlsServerContext::new_session() const {
  if (!context_) return unusable("there is no certificate yet");
  Ssl session(SSL_new(context_.get()));
  if (!session) return unusable("OpenSSL can't make a session");
  SSL_set_accept_state(session.get());
  return session;
}

}  // namespace mailid::net
