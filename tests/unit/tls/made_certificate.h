// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/bio.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "pingora/tls/certificate.h"

namespace pingora {

/// A certificate that a test, a fuzzer or a benchmark has made, with its key, as PEM.
struct MadeCertificate {
  std::string certificate;
  std::string key;
};

/// What a test wants to have.
struct CertificateWish {
  std::vector<std::string> names;  // alternative names; none: no such extension
  std::string common_name = "test";
  KeyType key_type = KeyType::Ecdsa;
  std::chrono::hours valid_from{-1};  // from now
  std::chrono::hours valid_until{24};
  const MadeCertificate* issuer = nullptr;  // null: issues itself
  bool is_issuer = false;
};

namespace made_certificate_detail {

// Not an assertion of the test's: fuzzers and benchmarks have certificates made too.
inline void must(bool is_good) {
  if (!is_good) std::abort();
}

inline std::string to_pem(X509& certificate) {
  bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_X509(out.get(), &certificate) == 1);
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  must(BIO_mem_contents(out.get(), &data, &size) == 1);
  return {reinterpret_cast<const char*>(data), size};
}

inline std::string to_pem(EVP_PKEY& key) {
  bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_PrivateKey(out.get(), &key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  must(BIO_mem_contents(out.get(), &data, &size) == 1);
  return {reinterpret_cast<const char*>(data), size};
}

inline bssl::UniquePtr<EVP_PKEY> read_key(const std::string& pem) {
  bssl::UniquePtr<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  bssl::UniquePtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  must(key != nullptr);
  return key;
}

inline bssl::UniquePtr<X509> read_certificate(const std::string& pem) {
  bssl::UniquePtr<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  bssl::UniquePtr<X509> certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  must(certificate != nullptr);
  return certificate;
}

inline bssl::UniquePtr<EVP_PKEY> make_key(KeyType type) {
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  if (type == KeyType::Ecdsa) {
    EC_KEY* made = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    must(EC_KEY_generate_key(made) == 1);
    must(EVP_PKEY_assign_EC_KEY(key.get(), made) == 1);
  } else if (type == KeyType::Rsa) {
    RSA* made = RSA_new();
    bssl::UniquePtr<BIGNUM> exponent(BN_new());
    must(BN_set_word(exponent.get(), RSA_F4) == 1);
    must(RSA_generate_key_ex(made, 2048, exponent.get(), nullptr) == 1);
    must(EVP_PKEY_assign_RSA(key.get(), made) == 1);
  } else {
    bssl::UniquePtr<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr));
    EVP_PKEY* made = nullptr;
    must(EVP_PKEY_keygen_init(context.get()) == 1);
    must(EVP_PKEY_keygen(context.get(), &made) == 1);
    key.reset(made);
  }
  return key;
}

inline void add_extension(X509& certificate, int nid, const std::string& value) {
  bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, nullptr, nid, const_cast<char*>(value.c_str())));
  must(extension != nullptr);
  must(X509_add_ext(&certificate, extension.get(), -1) == 1);
}

inline void set_subject(X509& certificate, const std::string& common_name) {
  X509_NAME* subject = X509_get_subject_name(&certificate);
  auto add = [&](const char* field, const std::string& value) {
    must(X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                    reinterpret_cast<const std::uint8_t*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1);
  };
  add("O", "Pingora tests");
  add("CN", common_name);
}

inline void set_times(X509& certificate, const CertificateWish& wish) {
  using std::chrono::seconds;
  must(X509_gmtime_adj(X509_getm_notBefore(&certificate), seconds(wish.valid_from).count()) !=
       nullptr);
  must(X509_gmtime_adj(X509_getm_notAfter(&certificate), seconds(wish.valid_until).count()) !=
       nullptr);
}

}  // namespace made_certificate_detail

/// Makes one. Keys of RSA take their time: a second, at worst.
inline MadeCertificate make_certificate(const CertificateWish& wish) {
  using made_certificate_detail::must;
  namespace detail = made_certificate_detail;
  bssl::UniquePtr<EVP_PKEY> key = detail::make_key(wish.key_type);
  bssl::UniquePtr<X509> made(X509_new());
  must(X509_set_version(made.get(), X509_VERSION_3) == 1);
  std::uint32_t serial = 0;
  RAND_bytes(reinterpret_cast<std::uint8_t*>(&serial), sizeof(serial));
  must(ASN1_INTEGER_set(X509_get_serialNumber(made.get()), (serial >> 2) + 1) == 1);
  detail::set_subject(*made, wish.common_name);
  detail::set_times(*made, wish);
  must(X509_set_pubkey(made.get(), key.get()) == 1);
  if (!wish.names.empty()) {
    std::string names;
    for (const std::string& name : wish.names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
    detail::add_extension(*made, NID_subject_alt_name, names);
  }
  if (wish.is_issuer) detail::add_extension(*made, NID_basic_constraints, "critical,CA:TRUE");

  bssl::UniquePtr<EVP_PKEY> signing_key;
  EVP_PKEY* signed_with = key.get();
  X509_NAME* issuer_name = X509_get_subject_name(made.get());
  bssl::UniquePtr<X509> issuer;
  if (wish.issuer != nullptr) {
    issuer = detail::read_certificate(wish.issuer->certificate);
    signing_key = detail::read_key(wish.issuer->key);
    signed_with = signing_key.get();
    issuer_name = X509_get_subject_name(issuer.get());
  }
  must(X509_set_issuer_name(made.get(), issuer_name) == 1);
  bool is_ed25519 = EVP_PKEY_id(signed_with) == EVP_PKEY_ED25519;
  must(X509_sign(made.get(), signed_with, is_ed25519 ? nullptr : EVP_sha256()) > 0);
  return {.certificate = detail::to_pem(*made), .key = detail::to_pem(*key)};
}

}  // namespace pingora
