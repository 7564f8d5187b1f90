// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/tls_context_parts.h"

#include <openssl/err.h>
#include <openssl/pool.h>

#include <memory>
#include <utility>

#include "tls/boringssl_memory.h"
#include "tls/tls_connection.h"
#include "tls/tls_error.h"
#include "tls/tls_handshake.h"

namespace pingora::internal {
namespace {

template <class T>
void free_kept(void* /*parent*/, void* pointer, CRYPTO_EX_DATA* /*ad*/, int /*index*/,
               long /*argl*/, void* /*argp*/) {
  delete static_cast<std::shared_ptr<T>*>(pointer);
}

int kept_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_kept<void>);
  return index;
}

int key_log_index() {
  static const int index =
      SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_kept<KeyLog>);
  return index;
}

void on_key_log_line(const SSL* ssl, const char* line) {
  auto* log = static_cast<std::shared_ptr<KeyLog>*>(
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), key_log_index()));
  if (log != nullptr) (*log)->append(line);
}

ssl_verify_result_t on_verify(SSL* ssl, std::uint8_t* alert) {
  TlsHandshake* handshake = TlsConnection::of(ssl).handshake;
  return handshake == nullptr ? ssl_verify_invalid : handshake->verify(*alert);
}

CRYPTO_BUFFER_POOL* shared_certificates() {
  static CRYPTO_BUFFER_POOL* const pool = CRYPTO_BUFFER_POOL_new();
  return pool;
}

}  // namespace

Result<bssl::UniquePtr<SSL_CTX>> make_context(const TlsBasics& basics) {
  ERR_clear_error();
  link_boringssl_memory();
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_with_buffers_method()));
  if (!context) return fail(take_tls_error(ErrorType::InternalError, "TLS"));
  if (basics.version_min > basics.version_max) {
    return fail(ErrorType::ConfigError, "TLS: the lowest version is above the highest");
  }
  if (SSL_CTX_set_min_proto_version(context.get(),
                                    static_cast<std::uint16_t>(basics.version_min)) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(),
                                    static_cast<std::uint16_t>(basics.version_max)) != 1) {
    return fail(take_tls_error(ErrorType::ConfigError, "TLS versions"));
  }
  if (!basics.ciphers.empty() &&
      SSL_CTX_set_strict_cipher_list(context.get(), basics.ciphers.c_str()) != 1) {
    return fail(take_tls_error(ErrorType::ConfigError, "TLS ciphers " + basics.ciphers));
  }
  if (!basics.groups.empty() &&
      SSL_CTX_set1_curves_list(context.get(), basics.groups.c_str()) != 1) {
    return fail(take_tls_error(ErrorType::ConfigError, "TLS groups " + basics.groups));
  }
  return context;
}

Result<void> check_alpn(const std::vector<std::string>& names) {
  constexpr std::size_t kNameMax = 255;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > kNameMax) {
      return fail(ErrorType::ConfigError, "TLS: a protocol of ALPN has 1 to 255 bytes");
    }
  }
  return {};
}

void set_verify(SSL_CTX& context, int mode) {
  SSL_CTX_set_custom_verify(&context, mode, &on_verify);
  SSL_CTX_set0_buffer_pool(&context, shared_certificates());
}

void set_key_log(SSL_CTX& context, std::shared_ptr<KeyLog> log) {
  SSL_CTX_set_ex_data(&context, key_log_index(), new std::shared_ptr<KeyLog>(std::move(log)));
  SSL_CTX_set_keylog_callback(&context, &on_key_log_line);
}

void keep_with(SSL_CTX& context, std::shared_ptr<void> value) {
  SSL_CTX_set_ex_data(&context, kept_index(), new std::shared_ptr<void>(std::move(value)));
}

void* kept_with(const SSL_CTX& context) noexcept {
  return static_cast<std::shared_ptr<void>*>(SSL_CTX_get_ex_data(&context, kept_index()))->get();
}

}  // namespace pingora::internal
