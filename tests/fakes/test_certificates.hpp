#pragma once

#include <memory>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <string>
#include <utility>

#include "common/base/secret.hpp"

namespace mailid::fakes {

/// A certificate and its key, both PEM.
struct TestCertificate {
  std::string pem;
  base::Secret key;
};

/// A certificate authority that exists for one test (ECDSA P-256).
class TestAuthority {
 public:
  TestAuthority() : key_(new_key()), certificate_(new_certificate("the test's authority", 0, kDay)) {
    X509_set_pubkey(certificate_.get(), key_.get());
    X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
    extend(*certificate_, NID_basic_constraints, "critical,CA:TRUE");
    extend(*certificate_, NID_key_usage, "critical,keyCertSign");
    X509_sign(certificate_.get(), key_.get(), EVP_sha256());
  }

  std::string pem() const { return to_pem(*certificate_); }

  /// A certificate for `names` as X509v3 writes them: `DNS:a.test,IP:127.0.0.1`; without any where empty. Its
  /// common name is `common_name`.
  TestCertificate issue(const std::string& names, const std::string& common_name = "a server") const {
    return issue_until(names, common_name, kDay);
  }
  /// One that ended an hour ago.
  TestCertificate issue_expired(const std::string& names) const {
    return issue_until(names, "a server", -3600);
  }

 private:
  static constexpr long kDay = 86'400;

  struct Free {
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
    void operator()(X509_EXTENSION* extension) const noexcept { X509_EXTENSION_free(extension); }
  };
  template <class T>
  using Owned = std::unique_ptr<T, Free>;

  static Owned<EVP_PKEY> new_key() { return Owned<EVP_PKEY>(EVP_EC_gen("P-256")); }

  static Owned<X509> new_certificate(const std::string& common_name, int serial, long seconds) {
    Owned<X509> certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial + 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kDay);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.data()),
                               static_cast<int>(common_name.size()), -1, 0);
    return certificate;
  }

  static void extend(X509& certificate, int nid, const std::string& value) {
    Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
    if (!extension) throw std::logic_error("no X509v3 extension: " + value);
    X509_add_ext(&certificate, extension.get(), -1);
  }

  static std::string drain(BIO& bio) {
    char* text = nullptr;
    const long size = BIO_ctrl(&bio, BIO_CTRL_INFO, 0, static_cast<void*>(&text));
    return {text, static_cast<std::size_t>(size)};
  }

  static std::string to_pem(X509& certificate) {
    Owned<BIO> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), &certificate);
    return drain(*bio);
  }

  TestCertificate issue_until(const std::string& names, const std::string& common_name, long seconds) const {
    const auto key = new_key();
    const auto certificate = new_certificate(common_name, 1, seconds);
    X509_set_pubkey(certificate.get(), key.get());
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
    if (!names.empty()) extend(*certificate, NID_subject_alt_name, names);
    X509_sign(certificate.get(), key_.get(), EVP_sha256());
    Owned<BIO> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return {to_pem(*certificate), base::Secret(drain(*bio))};
  }

  Owned<EVP_PKEY> key_;
  Owned<X509> certificate_;
};

}  // namespace mailid::fakes
