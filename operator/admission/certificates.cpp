#include "operator/admission/certificates.hpp"

#include <algorithm>
#include <memory>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace mailid::admission {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;

// A certificate of ours is 0.8 kB; more than this in its place is not parsed at all.
constexpr std::size_t kLongestPem = std::size_t{16} * 1024;
// RFC 5280 asks for a positive serial number of at most 20 octets; 128 random bits are never the same twice.
constexpr int kSerialBits = 127;

base::Unexpected<std::string> failure(const char* what) {
  const auto code = ERR_get_error();
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return base::Unexpected{std::string(what) + ": " + (reason == nullptr ? "not possible" : reason)};
}

Bio reader(std::string_view pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

X509Ptr read_certificate(std::string_view pem) {
  if (pem.size() > kLongestPem) return nullptr;
  const auto bio = reader(pem);
  return X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

Key read_key(const base::Secret& pem) {
  if (pem.size() > kLongestPem) return nullptr;
  const auto bio = reader(pem.reveal());
  return Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

std::string_view written(const Bio& bio) {
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

base::Expected<Certificate, std::string> to_pem(X509* certificate, EVP_PKEY* key) {
  const Bio certificate_text(BIO_new(BIO_s_mem()));
  // Secure memory is wiped when it is freed.
  const Bio key_text(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_X509(certificate_text.get(), certificate) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failure("writing a certificate");
  }
  return Certificate{std::string(written(certificate_text)), base::Secret(written(key_text))};
}

bool set_time(ASN1_TIME* field, base::Time time) {
  return ASN1_TIME_set(field,
                       std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count()) !=
         nullptr;
}

bool set_serial(X509* certificate) {
  const Number serial(BN_new());
  return BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_common_name(X509* certificate, std::string name) {
  // The field holds at most 64 octets; what counts is the alternative name.
  name.resize(std::min<std::size_t>(name.size(), 64));
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// A certificate but for issuer, extensions and signature.
X509Ptr blank(const std::string& name, Validity validity, EVP_PKEY* key) {
  X509Ptr certificate(X509_new());
  const bool made = certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                    set_serial(certificate.get()) && set_common_name(certificate.get(), name) &&
                    set_time(X509_getm_notBefore(certificate.get()), validity.from) &&
                    set_time(X509_getm_notAfter(certificate.get()), validity.until) &&
                    X509_set_pubkey(certificate.get(), key) == 1;
  return made ? std::move(certificate) : nullptr;
}

std::optional<base::Time> ends(const X509* certificate) {
  tm fields{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &fields) != 1) return std::nullopt;
  return base::Time(std::chrono::seconds(timegm(&fields)));
}

}  // namespace

CertificateResult make_authority(const std::string& name, Validity validity) {
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return failure("making a key");
  const auto certificate = blank(name, validity, key.get());
  if (!certificate) return failure("making a certificate authority");
  auto* self = certificate.get();
  const bool made = X509_set_issuer_name(self, X509_get_subject_name(self)) == 1 &&
                    add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add_extension(self, self, NID_subject_key_identifier, "hash") &&
                    X509_sign(self, key.get(), EVP_sha256()) > 0;
  if (!made) return failure("making a certificate authority");
  return to_pem(self, key.get());
}

CertificateResult issue(const Certificate& authority, const std::string& dns_name, Validity validity) {
  const auto issuer = read_certificate(authority.certificate_pem);
  const auto issuer_key = read_key(authority.key_pem);
  if (!issuer || !issuer_key) return failure("reading the certificate authority");
  const auto last = ends(issuer.get());
  if (last) validity.until = std::min(validity.until, *last);

  const Key key(EVP_EC_gen("P-256"));
  if (!key) return failure("making a key");
  const auto certificate = blank(dns_name, validity, key.get());
  if (!certificate) return failure("making a certificate");
  auto* leaf = certificate.get();
  const bool made = X509_set_issuer_name(leaf, X509_get_subject_name(issuer.get())) == 1 &&
                    add_extension(leaf, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(leaf, issuer.get(), NID_key_usage, "critical,digitalSignature") &&
                    add_extension(leaf, issuer.get(), NID_ext_key_usage, "serverAuth") &&
                    add_extension(leaf, issuer.get(), NID_subject_key_identifier, "hash") &&
                    add_extension(leaf, issuer.get(), NID_authority_key_identifier, "keyid:always") &&
                    add_extension(leaf, issuer.get(), NID_subject_alt_name, "DNS:" + dns_name) &&
                    X509_sign(leaf, issuer_key.get(), EVP_sha256()) > 0;
  if (!made) return failure("signing a certificate");
  return to_pem(leaf, key.get());
}

std::optional<base::Time> expiry(std::string_view certificate_pem) {
  const auto certificate = read_certificate(certificate_pem);
  ERR_clear_error();
  return certificate ? ends(certificate.get()) : std::nullopt;
}

std::optional<std::string> authority_trouble(const Certificate& authority, base::Time now) {
  const auto certificate = read_certificate(authority.certificate_pem);
  const auto key = read_key(authority.key_pem);
  ERR_clear_error();
  if (!certificate || !key) return "certificate or key can't be read";
  if (X509_check_ca(certificate.get()) == 0) return "the certificate is not a certificate authority's";
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return "certificate and key don't belong together";
  }
  const auto last = ends(certificate.get());
  if (!last || *last <= now) return "the certificate has expired";
  return std::nullopt;
}

}  // namespace mailid::admission
