// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/server_handshake.h"

#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/pool.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "pingora/tls/certificate_store.h"
#include "tls/certificate_data.h"
#include "tls/ocsp.h"
#include "tls/tls_error.h"

namespace pingora::internal {
namespace {

// The contents of an extension; nothing if the client has not sent it.
std::optional<CBS> extension(const SSL_CLIENT_HELLO& hello, std::uint16_t type) {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  if (SSL_early_callback_ctx_extension_get(&hello, type, &data, &size) == 0) return std::nullopt;
  CBS contents;
  CBS_init(&contents, data, size);
  return contents;
}

// The suites of TLS 1.2 for certificates with ECDSA keys (RFC 5289, RFC 7905, RFC 8422).
constexpr std::array<std::uint16_t, 7> kEcdsaSuites{0xc02b, 0xc02c, 0xcca9, 0xc009,
                                                    0xc00a, 0xc023, 0xc024};

bool offers_tls13(const SSL_CLIENT_HELLO& hello) {
  auto contents = extension(hello, TLSEXT_TYPE_supported_versions);
  CBS versions;
  if (!contents || CBS_get_u8_length_prefixed(&*contents, &versions) == 0) return false;
  std::uint16_t version = 0;
  while (CBS_get_u16(&versions, &version) != 0) {
    if (version == TLS1_3_VERSION) return true;
  }
  return false;
}

bool offers_ecdsa_suite(const SSL_CLIENT_HELLO& hello) {
  CBS suites;
  CBS_init(&suites, hello.cipher_suites, hello.cipher_suites_len);
  std::uint16_t suite = 0;
  while (CBS_get_u16(&suites, &suite) != 0) {
    if (std::find(kEcdsaSuites.begin(), kEcdsaSuites.end(), suite) != kEcdsaSuites.end()) {
      return true;
    }
  }
  return false;
}

// RFC 8446 §4.2.3; without the extension, what RFC 5246 §7.4.1.4.1 says it means, of which we only
// do RSA.
AcceptedKeys accepted_keys(const SSL_CLIENT_HELLO& hello, TlsVersion version_max) {
  AcceptedKeys accepted{.ecdsa = false, .ed25519 = false, .rsa = true};
  auto contents = extension(hello, TLSEXT_TYPE_signature_algorithms);
  CBS schemes;
  if (!contents || CBS_get_u16_length_prefixed(&*contents, &schemes) == 0) return accepted;
  accepted.rsa = false;
  std::uint16_t scheme = 0;
  while (CBS_get_u16(&schemes, &scheme) != 0) {
    switch (SignatureScheme{scheme}) {
      case SignatureScheme::EcdsaSecp256r1Sha256:
      case SignatureScheme::EcdsaSecp384r1Sha384:
      case SignatureScheme::EcdsaSecp521r1Sha512: accepted.ecdsa = true; break;
      case SignatureScheme::Ed25519: accepted.ed25519 = true; break;
      case SignatureScheme::RsaPkcs1Sha256:
      case SignatureScheme::RsaPkcs1Sha384:
      case SignatureScheme::RsaPkcs1Sha512:
      case SignatureScheme::RsaPssRsaeSha256:
      case SignatureScheme::RsaPssRsaeSha384:
      case SignatureScheme::RsaPssRsaeSha512: accepted.rsa = true; break;
    }
  }
  bool is_tls13 = version_max >= TlsVersion::Tls13 && offers_tls13(hello);
  if (!is_tls13 && !offers_ecdsa_suite(hello)) accepted.ecdsa = accepted.ed25519 = false;
  return accepted;
}

std::string alpn_list(const SSL_CLIENT_HELLO& hello) {
  auto contents = extension(hello, TLSEXT_TYPE_application_layer_protocol_negotiation);
  CBS list;
  if (!contents || CBS_get_u16_length_prefixed(&*contents, &list) == 0) return {};
  return {reinterpret_cast<const char*>(CBS_data(&list)), CBS_len(&list)};
}

std::vector<std::string_view> split_alpn(std::string_view list) {
  std::vector<std::string_view> names;
  while (!list.empty()) {
    std::size_t size = static_cast<std::uint8_t>(list.front());
    names.push_back(list.substr(1, size));
    list.remove_prefix(std::min(list.size(), 1 + size));
  }
  return names;
}

}  // namespace

// Called once for a ClientHello; once more when the program's callback is done.
ssl_select_cert_result_t ServerHandshake::select_certificate(const SSL_CLIENT_HELLO& hello) {
  if (selected_.is_running()) return ssl_select_cert_retry;
  if (selected_.result) return use_selected(hello);
  if (const char* name = SSL_get_servername(hello.ssl, TLSEXT_NAMETYPE_host_name)) {
    server_name_ = name;
  }
  accepted_keys_ = accepted_keys(hello, state_.settings.version_max);
  if (auto bound = bind_session(); !bound) {
    fail_with(std::move(bound.error()));
    return ssl_select_cert_error;
  }
  const auto& callbacks = state_.settings.callbacks;
  if (!callbacks) {
    selected_.result.emplace(Certificate::Ptr());
    return use_selected(hello);
  }
  alpn_ = alpn_list(hello);
  hello_.emplace(server_name_, split_alpn(alpn_), accepted_keys_,
                 transport().digest().peer_address);
  if (!selected_.start(callbacks->certificate(*hello_))) return ssl_select_cert_retry;
  return use_selected(hello);
}

ssl_select_cert_result_t ServerHandshake::use_selected(const SSL_CLIENT_HELLO& hello) {
  Result<Certificate::Ptr> selected = std::move(*std::exchange(selected_.result, std::nullopt));
  if (selected && *selected == nullptr) selected = find_in_store();
  if (!selected) {
    fail_with(Error::because(ErrorType::TlsHandshakeFailure, "no certificate",
                             std::move(selected.error())));
    return ssl_select_cert_error;
  }
  if (refuses_name_) return ssl_select_cert_success;
  if ((*selected)->has_ocsp_staple() && extension(hello, TLSEXT_TYPE_status_request)) {
    const CRYPTO_BUFFER* ocsp =
        ocsp_to_staple((*selected)->data(), std::chrono::system_clock::now());
    if (ocsp != nullptr) {
      SSL_set_ocsp_response(ssl(), CRYPTO_BUFFER_data(ocsp), CRYPTO_BUFFER_len(ocsp));
    }
  }
  if (auto used = use_certificate(std::move(*selected)); !used) {
    fail_with(std::move(used.error()));
    return ssl_select_cert_error;
  }
  return ssl_select_cert_success;
}

Result<Certificate::Ptr> ServerHandshake::find_in_store() {
  const auto& store = state_.settings.certificates;
  if (store) {
    if (!server_name_.empty()) {
      if (auto found = store->find(server_name_, accepted_keys_)) return found;
      if (state_.settings.unknown_name == UnknownName::Alert) {
        refuses_name_ = true;
        std::string text = "no certificate for ";
        append_escaped(text, server_name_, 256);
        fail_with(Error::explain(ErrorType::TlsHandshakeFailure, text));
        return Certificate::Ptr();
      }
    }
    if (auto fallback = store->default_certificate(accepted_keys_)) return fallback;
  }
  std::string text = "none for ";
  append_escaped(text, server_name_.empty() ? "a client that names no server" : server_name_, 256);
  return fail(ErrorType::TlsHandshakeFailure, text);
}

// A session is good only for the name that it was opened with (RFC 6066 §3), and for listeners that
// demand the same of clients.
Result<void> ServerHandshake::bind_session() {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256_CTX hash;
  SHA256_Init(&hash);
  SHA256_Update(&hash, state_.session_context.data(), state_.session_context.size());
  SHA256_Update(&hash, server_name_.data(), server_name_.size());
  SHA256_Final(digest.data(), &hash);
  static_assert(SHA256_DIGEST_LENGTH <= SSL_MAX_SID_CTX_LENGTH);
  if (SSL_set_session_id_context(ssl(), digest.data(), digest.size()) == 1) return {};
  return fail(take_tls_error(ErrorType::InternalError, "the context of sessions"));
}

Task<> ServerHandshake::start_verifying(const STACK_OF(CRYPTO_BUFFER) & chain,
                                        std::uint8_t& alert) {
  const TlsSettings& settings = state_.settings;
  ChainPolicy policy{.peer = ChainPolicy::Peer::Client,
                     .store = state_.trust.store.get(),
                     .depth_max = settings.client_chain_depth_max,
                     .names = {}};
  Result<void> verdict = verify_chain(chain, policy, alert);
  if (!settings.callbacks) return verdict;
  if (!verdict) verify_failure_.emplace(std::move(verdict.error()));
  chain_ = chain_bytes(chain);
  SslDigest described;
  describe_certificate(*sk_CRYPTO_BUFFER_value(&chain, 0), described);
  client_ = {.chain = chain_,
             .subject = std::move(described.subject),
             .organization = std::move(described.organization),
             .serial_number = std::move(described.serial_number),
             .sha256 = std::move(described.certificate_sha256)};
  return settings.callbacks->verify_client(client_, verify_failure_ ? &*verify_failure_ : nullptr);
}

Task<> ServerHandshake::tell(SslDigest& digest) {
  const auto& callbacks = state_.settings.callbacks;
  if (!callbacks) co_return;
  if (!told_.start(callbacks->handshake_complete(digest))) co_await await(told_);
  co_await std::move(*told_.result);
}

}  // namespace pingora::internal
