// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/verify.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pool.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "tls/read_file.h"
#include "tls/tls_error.h"
#include "tls/x509_text.h"

namespace pingora::internal {
namespace {

// Where systems keep the certificates that they trust.
constexpr std::array kSystemStores{
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Gentoo
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",  // SUSE
    "/etc/ssl/cert.pem",       // Alpine, BSD
};

Result<std::string> read_system_store() {
  // As other programs do: an operator may point to a file of his own.
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment of a running proxy
  if (const char* file = std::getenv("SSL_CERT_FILE"); file != nullptr && *file != '\0') {
    return read_file(file);
  }
  for (const char* file : kSystemStores) {
    if (auto content = read_file(file)) return content;
  }
  return fail(ErrorType::FileOpenError, "the system's store of trusted certificates is not found");
}

bssl::UniquePtr<CRYPTO_BUFFER> subject_of(const X509& certificate) {
  std::uint8_t* der = nullptr;
  int size = i2d_X509_NAME(X509_get_subject_name(&certificate), &der);
  if (size < 0) return nullptr;
  bssl::UniquePtr<std::uint8_t> owned(der);
  return bssl::UniquePtr<CRYPTO_BUFFER>(
      CRYPTO_BUFFER_new(der, static_cast<std::size_t>(size), nullptr));
}

bssl::UniquePtr<X509> parse(const CRYPTO_BUFFER* der) {
  return bssl::UniquePtr<X509>(X509_parse_from_buffer(const_cast<CRYPTO_BUFFER*>(der)));
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ", ";
    text += name;
    if (text.size() > 512) return text + ", ...";
  }
  return text.empty() ? "no name at all" : text;
}

std::string time_text(const ASN1_TIME* time) {
  bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  if (!out || ASN1_TIME_print(out.get(), time) != 1 ||
      BIO_mem_contents(out.get(), &data, &size) != 1) {
    return "?";
  }
  return {reinterpret_cast<const char*>(data), size};
}

// What is wrong, in words; `leaf` is what the peer has shown, `at` the certificate it was found at.
std::string failure_text(int code, X509& leaf, const X509* at, const ChainPolicy& policy) {
  if (at == nullptr) at = &leaf;
  std::string whose = "the certificate of " + name_text(X509_get_subject_name(at));
  std::string issuer = name_text(X509_get_issuer_name(at));
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return whose + " has expired, on " + time_text(X509_get0_notAfter(at));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return whose + " is not valid before " + time_text(X509_get0_notBefore(at));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "the certificate is for " + quoted_list(host_names(leaf)) + ", not for " +
             std::string(policy.names.front());
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return whose + " is from an unknown issuer: " + issuer;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return whose + " is self-signed, and not trusted";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return whose + " is a root that is not trusted";
    case X509_V_ERR_CERT_CHAIN_TOO_LONG: return "the chain of certificates is too long";
    case X509_V_ERR_INVALID_PURPOSE:
      return whose + (policy.peer == ChainPolicy::Peer::Server ? " is not one for servers"
                                                               : " is not one for clients");
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return whose + " has a signature that is not its issuer's";
    default: return whose + ": " + X509_verify_cert_error_string(code);
  }
}

// One verification and its settings.
bool check_name(X509& leaf, std::string_view name) {
  constexpr unsigned kFlags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
  if (is_ip_address(name)) {
    return X509_check_ip_asc(&leaf, std::string(name).c_str(), kFlags) == 1;
  }
  if (name.ends_with('.')) name.remove_suffix(1);
  return X509_check_host(&leaf, name.data(), name.size(), kFlags, nullptr) == 1;
}

bool check_names(X509& leaf, std::span<const std::string_view> names) {
  if (names.empty()) return true;
  for (std::string_view name : names) {
    if (!name.empty() && check_name(leaf, name)) return true;
  }
  return false;
}

std::uint8_t alert_for(int code) {
  return static_cast<std::uint8_t>(SSL_alert_from_verify_result(code));
}

Result<void> add_certificates(const std::string& pem, Trust& trust) {
  bssl::UniquePtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::size_t count = 0;
  while (
      bssl::UniquePtr<X509> certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(trust.store.get(), certificate.get());
    if (auto subject = subject_of(*certificate)) trust.subjects.push_back(std::move(subject));
    ++count;
  }
  // What ends it is "no start line" where nothing is left; anything else is a damaged certificate.
  std::uint32_t last = ERR_peek_last_error();
  ERR_clear_error();
  if (count == 0) return fail(ErrorType::ConfigError, "there is no PEM certificate");
  if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE) {
    return fail(ErrorType::ConfigError,
                "certificate " + std::to_string(count + 1) + " cannot be read");
  }
  return {};
}

}  // namespace

bool is_ip_address(std::string_view name) {
  std::array<unsigned char, 16> address{};
  std::string text(name);
  return ::inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

Result<Trust> load_trust(const std::string& file, const std::string& pem) {
  Result<std::string> content = pem;
  std::string name = "the trusted certificates";
  if (!file.empty()) {
    name = file;
    content = read_file(file);
  } else if (pem.empty()) {
    name = "the system's store";
    content = read_system_store();
  }
  if (!content) return fail(std::move(content.error()));
  Trust trust;
  trust.store.reset(X509_STORE_new());
  if (auto added = add_certificates(*content, trust); !added) {
    return fail(std::move(added.error()).more_context(name));
  }
  return trust;
}

Result<void> verify_chain(const STACK_OF(CRYPTO_BUFFER) & chain, const ChainPolicy& policy,
                          std::uint8_t& alert) {
  alert = SSL_AD_BAD_CERTIFICATE;
  bssl::UniquePtr<STACK_OF(X509)> others(sk_X509_new_null());
  bssl::UniquePtr<X509> leaf;
  for (const CRYPTO_BUFFER* der : &chain) {
    bssl::UniquePtr<X509> parsed = parse(der);
    if (!parsed) return fail(take_tls_error(ErrorType::InvalidCert, "a damaged certificate"));
    if (!leaf) {
      leaf = std::move(parsed);
    } else {
      bssl::PushToStack(others.get(), std::move(parsed));
    }
  }
  bssl::UniquePtr<X509_STORE_CTX> context(X509_STORE_CTX_new());
  if (!leaf || !context ||
      X509_STORE_CTX_init(context.get(), policy.store, leaf.get(), others.get()) != 1) {
    return fail(take_tls_error(ErrorType::InvalidCert, "checking a certificate"));
  }
  bool is_server = policy.peer == ChainPolicy::Peer::Server;
  X509_STORE_CTX_set_default(context.get(), is_server ? "ssl_server" : "ssl_client");
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context.get());
  // BoringSSL counts the issuer as well.
  X509_VERIFY_PARAM_set_depth(param, static_cast<int>(policy.depth_max) + 1);
  // A certificate that is trusted is enough, be it no root: that is what a CA file of one's own is
  // for.
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  if (X509_verify_cert(context.get()) != 1) {
    int code = X509_STORE_CTX_get_error(context.get());
    alert = alert_for(code);
    std::string text =
        failure_text(code, *leaf, X509_STORE_CTX_get_current_cert(context.get()), policy);
    ERR_clear_error();
    return fail(ErrorType::InvalidCert, text);
  }
  ERR_clear_error();
  if (!check_names(*leaf, policy.names)) {
    alert = SSL_AD_BAD_CERTIFICATE;
    return fail(ErrorType::InvalidCert,
                failure_text(X509_V_ERR_HOSTNAME_MISMATCH, *leaf, leaf.get(), policy));
  }
  return {};
}

std::vector<Bytes> chain_bytes(const STACK_OF(CRYPTO_BUFFER) & chain) {
  std::vector<Bytes> all;
  for (const CRYPTO_BUFFER* der : &chain) {
    all.push_back(Bytes::copy_of(
        {reinterpret_cast<const char*>(CRYPTO_BUFFER_data(der)), CRYPTO_BUFFER_len(der)}));
  }
  return all;
}

void describe_certificate(const CRYPTO_BUFFER& certificate, SslDigest& digest) {
  digest.certificate_sha256 =
      sha256_of({reinterpret_cast<const char*>(CRYPTO_BUFFER_data(&certificate)),
                 CRYPTO_BUFFER_len(&certificate)});
  bssl::UniquePtr<X509> parsed = parse(&certificate);
  if (!parsed) {
    ERR_clear_error();
    return;
  }
  const X509_NAME* subject = X509_get_subject_name(parsed.get());
  digest.subject = name_text(subject);
  digest.organization = name_entry(subject, NID_organizationName);
  digest.serial_number = serial_text(*parsed);
}

}  // namespace pingora::internal
