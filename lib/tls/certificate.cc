// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/certificate.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <utility>

#include "tls/certificate_data.h"
#include "tls/ocsp.h"
#include "tls/read_file.h"
#include "tls/x509_text.h"

namespace pingora {
namespace {

using internal::CertificateData;

// A chain that is longer is a bundle of something else. TLS clients take ten at most.
constexpr std::size_t kChainMax = 16;

// What the pieces are called in messages: their files, if they are from files.
struct Sources {
  std::string_view chain = "the certificate";
  std::string_view key = "the key";
  std::string_view ocsp = "the OCSP response";
};

// BoringSSL's queue of errors is the thread's: what is left there would be taken for the reason of
// the next failure, which may be that of a handshake.
struct ErrorQueueCleaner {
  ~ErrorQueueCleaner() { ERR_clear_error(); }
};

Error invalid(std::string_view source, std::string_view what) {
  return Error::explain(ErrorType::InvalidCert, fmt::format("{}: {}", source, what));
}

bssl::UniquePtr<BIO> reader_of(std::string_view text) {
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// The next block of PEM with a certificate, null at the end.
bssl::UniquePtr<CRYPTO_BUFFER> next_certificate(BIO& reader) {
  for (;;) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(&reader, &name, &header, &data, &size) != 1) return nullptr;
    bssl::UniquePtr<char> free_name(name);
    bssl::UniquePtr<char> free_header(header);
    bssl::UniquePtr<std::uint8_t> free_data(data);
    std::string_view kind(name);
    if (kind != PEM_STRING_X509 && kind != PEM_STRING_X509_OLD) continue;  // a key, say
    return bssl::UniquePtr<CRYPTO_BUFFER>(
        CRYPTO_BUFFER_new(data, static_cast<std::size_t>(size), nullptr));
  }
}

// Whether the reader has stopped at the end, and not at something broken.
bool is_at_end() { return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE; }

Result<void> read_chain(CertificateData& data, std::string_view text, std::string_view source) {
  bssl::UniquePtr<BIO> reader = reader_of(text);
  while (bssl::UniquePtr<CRYPTO_BUFFER> next = next_certificate(*reader)) {
    if (data.chain.size() == kChainMax) {
      return fail(invalid(source, fmt::format("more than {} certificates", kChainMax)));
    }
    bssl::UniquePtr<X509> parsed(X509_parse_from_buffer(next.get()));
    if (!parsed) {
      return fail(invalid(
          source, fmt::format("certificate {} in it cannot be read", data.chain.size() + 1)));
    }
    data.chain.push_back(std::move(next));
  }
  if (!is_at_end()) return fail(invalid(source, "is no PEM, or broken"));
  if (data.chain.empty()) return fail(invalid(source, "no certificate in it (PEM)"));
  return {};
}

int refuse_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return 0;
}

Result<void> read_key(CertificateData& data, std::string_view text, std::string_view source) {
  bssl::UniquePtr<BIO> reader = reader_of(text);
  bool has_password = false;
  data.key.reset(PEM_read_bio_PrivateKey(reader.get(), nullptr, &refuse_password, &has_password));
  if (data.key) return {};
  if (has_password) return fail(invalid(source, "the private key in it has a password"));
  if (is_at_end()) return fail(invalid(source, "no private key in it (PEM)"));
  return fail(invalid(source, "the private key in it cannot be read"));
}

Result<void> read_ocsp(CertificateData& data, std::string_view der, std::string_view source) {
  if (der.empty()) return {};
  Result<Certificate::Time> until = internal::ocsp_good_until(der);
  if (!until) return fail(invalid(source, until.error().context()));
  data.ocsp_until = *until;
  data.ocsp.reset(
      CRYPTO_BUFFER_new(reinterpret_cast<const std::uint8_t*>(der.data()), der.size(), nullptr));
  return {};
}

Result<Certificate::Time> to_time(const ASN1_TIME* time) {
  bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (!epoch || ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) {
    return fail(ErrorType::InvalidCert, "a time in it cannot be read");
  }
  // The clock of the system ends in 2262; certificates without an end say 9999 (RFC 5280 §4.1.2.5).
  using Days = std::chrono::duration<double, std::chrono::days::period>;
  if (Days(days + 1) > Days(Certificate::Time::max().time_since_epoch())) {
    return Certificate::Time::max();
  }
  if (Days(days - 1) < Days(Certificate::Time::min().time_since_epoch())) {
    return Certificate::Time::min();
  }
  return Certificate::Time(std::chrono::days(days) + std::chrono::seconds(seconds));
}

Result<KeyType> to_key_type(const EVP_PKEY& key) {
  switch (EVP_PKEY_id(&key)) {
    case EVP_PKEY_EC: return KeyType::Ecdsa;
    case EVP_PKEY_ED25519: return KeyType::Ed25519;
    case EVP_PKEY_RSA: return KeyType::Rsa;
    default: return fail(ErrorType::InvalidCert, "its key is neither ECDSA, Ed25519 nor RSA");
  }
}

// What is said of the certificate itself, the first of the chain.
Result<void> describe(CertificateData& data) {
  bssl::UniquePtr<X509> leaf(X509_parse_from_buffer(data.chain.front().get()));
  bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(leaf.get()));
  if (!key) return fail(ErrorType::InvalidCert, "its key cannot be read");
  Result<KeyType> key_type = to_key_type(*key);
  if (!key_type) return fail(std::move(key_type.error()));
  Result<Certificate::Time> not_before = to_time(X509_get0_notBefore(leaf.get()));
  if (!not_before) return fail(std::move(not_before.error()));
  Result<Certificate::Time> not_after = to_time(X509_get0_notAfter(leaf.get()));
  if (!not_after) return fail(std::move(not_after.error()));
  data.key_type = *key_type;
  data.not_before = *not_before;
  data.not_after = *not_after;
  data.names = internal::host_names(*leaf);
  data.subject = internal::name_text(X509_get_subject_name(leaf.get()));
  data.serial_number = internal::serial_text(*leaf);
  const CRYPTO_BUFFER* der = data.chain.front().get();
  data.sha256 = internal::sha256_of(
      {reinterpret_cast<const char*>(CRYPTO_BUFFER_data(der)), CRYPTO_BUFFER_len(der)});
  return {};
}

Result<void> check_key(const CertificateData& data, const Sources& sources) {
  bssl::UniquePtr<X509> leaf(X509_parse_from_buffer(data.chain.front().get()));
  bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(leaf.get()));
  if (key && EVP_PKEY_cmp(key.get(), data.key.get()) == 1) return {};
  return fail(invalid(fmt::format("{}, {}", sources.chain, sources.key),
                      "the private key is not that of the certificate"));
}

// `key` or `signer` is the key.
Result<Certificate::Ptr> make(std::string_view chain, std::string_view key,
                              std::shared_ptr<PrivateKeySigner> signer, std::string_view ocsp,
                              const Sources& sources) {
  ErrorQueueCleaner cleaner;
  for (const auto& [text, source] : {std::pair(chain, sources.chain), std::pair(key, sources.key),
                                     std::pair(ocsp, sources.ocsp)}) {
    if (text.size() <= internal::kTlsFileBytesMax) continue;
    return fail(invalid(source, fmt::format("more than {} bytes", internal::kTlsFileBytesMax)));
  }
  auto data = std::make_unique<CertificateData>();
  if (Result<void> read = read_chain(*data, chain, sources.chain); !read) {
    return fail(std::move(read.error()));
  }
  if (Result<void> described = describe(*data); !described) {
    return fail(std::move(described.error()).more_context(sources.chain));
  }
  if (signer) {
    data->signer = std::move(signer);
  } else {
    if (Result<void> read = read_key(*data, key, sources.key); !read) {
      return fail(std::move(read.error()));
    }
    if (Result<void> fits = check_key(*data, sources); !fits) return fail(std::move(fits.error()));
  }
  if (Result<void> read = read_ocsp(*data, ocsp, sources.ocsp); !read) {
    return fail(std::move(read.error()));
  }
  return std::make_shared<const Certificate>(std::move(data));
}

}  // namespace

std::string_view to_string(KeyType type) noexcept {
  switch (type) {
    case KeyType::Ecdsa: return "ECDSA";
    case KeyType::Ed25519: return "Ed25519";
    case KeyType::Rsa: return "RSA";
  }
  return "?";
}

Result<Certificate::Ptr> Certificate::load(const CertificateFiles& files) {
  Result<std::string> chain = internal::read_file(files.certificate);
  if (!chain) return fail(std::move(chain.error()));
  Result<std::string> key = internal::read_file(files.key);
  if (!key) return fail(std::move(key.error()));
  std::string ocsp;
  if (!files.ocsp.empty()) {
    Result<std::string> read = internal::read_file(files.ocsp);
    if (!read) return fail(std::move(read.error()));
    if (read->empty()) return fail(invalid(files.ocsp, "is empty"));
    ocsp = std::move(*read);
  }
  auto made = make(*chain, *key, nullptr, ocsp,
                   {.chain = files.certificate, .key = files.key, .ocsp = files.ocsp});
  OPENSSL_cleanse(key->data(), key->size());
  return made;
}

Result<Certificate::Ptr> Certificate::from_pem(std::string_view chain, std::string_view key,
                                               std::string_view ocsp) {
  return make(chain, key, nullptr, ocsp, {});
}

Result<Certificate::Ptr> Certificate::with_signer(std::string_view chain,
                                                  std::shared_ptr<PrivateKeySigner> signer,
                                                  std::string_view ocsp) {
  return make(chain, {}, std::move(signer), ocsp, {});
}

Certificate::Certificate(std::unique_ptr<const CertificateData> data) noexcept
    : data_(std::move(data)) {}
Certificate::~Certificate() = default;

const std::vector<std::string>& Certificate::names() const noexcept { return data_->names; }
KeyType Certificate::key_type() const noexcept { return data_->key_type; }
Certificate::Time Certificate::not_before() const noexcept { return data_->not_before; }
Certificate::Time Certificate::not_after() const noexcept { return data_->not_after; }
const std::string& Certificate::subject() const noexcept { return data_->subject; }
const std::string& Certificate::serial_number() const noexcept { return data_->serial_number; }
const std::string& Certificate::sha256() const noexcept { return data_->sha256; }
bool Certificate::has_ocsp_staple() const noexcept { return data_->ocsp != nullptr; }
Certificate::Time Certificate::ocsp_good_until() const noexcept { return data_->ocsp_until; }

}  // namespace pingora
