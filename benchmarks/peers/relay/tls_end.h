// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// The relay's TLS 1.3 towards clients: BoringSSL, with as little around it as that works with. No
// callback but that for ALPN; ciphertext comes from one buffer and goes to one other.
#pragma once

#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

class TlsEnd {
 public:
  /// Ends the process if the certificate or its key cannot be had. The first of `protocols`, each
  /// with its length in front, that a client offers is what it gets.
  TlsEnd(const char* chain_file, const char* key_file, std::string_view protocols)
      : context_(SSL_CTX_new(TLS_with_buffers_method())), protocols_(protocols) {
    SSL_CTX* context = context_.get();
    bool is_set_up = SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
                     SSL_CTX_set1_curves_list(context, "X25519:P-256") == 1 &&
                     use_certificate(chain_file, key_file);
    if (!is_set_up) {
      std::fprintf(stderr, "relay: %s, %s: no certificate\n", chain_file, key_file);
      std::exit(1);
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_alpn_select_cb(context, &on_alpn, this);
  }

  SSL* accept() {
    SSL* ssl = SSL_new(context_.get());
    BIO* both = BIO_new(method());
    BIO_set_data(both, this);
    BIO_set_init(both, 1);
    SSL_set_bio(ssl, both, both);
    SSL_set_accept_state(ssl);
    return ssl;
  }

  enum class State { Open, Over };

  /// Handshakes and decrypts; `arrived` is taken whole. The bytes of the stream are appended to
  /// `text`, and what is to be sent to `output`.
  State decrypt(SSL* ssl, std::string_view arrived, std::string& text, std::string& output) {
    input_ = arrived;
    output_ = &output;
    while (!input_.empty()) {
      int size = SSL_read(ssl, record_.data(), static_cast<int>(record_.size()));
      if (size > 0) {
        text.append(record_.data(), static_cast<std::size_t>(size));
      } else if (SSL_get_error(ssl, size) != SSL_ERROR_WANT_READ) {
        return State::Over;
      }
    }
    return State::Open;
  }

  /// Appends the ciphertext of all of `text` to `output`.
  void encrypt(SSL* ssl, std::string_view text, std::string& output) {
    output_ = &output;
    SSL_write(ssl, text.data(), static_cast<int>(text.size()));
  }
  /// Appends a close_notify.
  void close(SSL* ssl, std::string& output) {
    output_ = &output;
    SSL_shutdown(ssl);
  }

 private:
  static TlsEnd& of(BIO* bio) { return *static_cast<TlsEnd*>(BIO_get_data(bio)); }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "relay");
      BIO_meth_set_read(made, [](BIO* bio, char* out, int size) {
        std::string_view& input = of(bio).input_;
        std::size_t taken = std::min(static_cast<std::size_t>(size), input.size());
        BIO_clear_retry_flags(bio);
        if (taken == 0) {
          BIO_set_retry_read(bio);
          return -1;
        }
        std::memcpy(out, input.data(), taken);
        input.remove_prefix(taken);
        return static_cast<int>(taken);
      });
      BIO_meth_set_write(made, [](BIO* bio, const char* data, int size) {
        of(bio).output_->append(data, static_cast<std::size_t>(size));
        return size;
      });
      BIO_meth_set_ctrl(made, [](BIO*, int command, long, void*) -> long {
        return command == BIO_CTRL_FLUSH ? 1 : 0;
      });
      return made;
    }();
    return method;
  }

  static int on_alpn(SSL*, const std::uint8_t** out, std::uint8_t* out_size,
                     const std::uint8_t* offered, unsigned offered_size, void* self) {
    std::string_view ours = static_cast<TlsEnd*>(self)->protocols_;
    std::uint8_t* chosen = nullptr;
    int found =
        SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const std::uint8_t*>(ours.data()),
                              static_cast<unsigned>(ours.size()), offered, offered_size);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
  }

  // One certificate, as the harness makes them.
  bool use_certificate(const char* chain_file, const char* key_file) {
    bssl::UniquePtr<BIO> chain(BIO_new_file(chain_file, "r"));
    bssl::UniquePtr<BIO> key_text(BIO_new_file(key_file, "r"));
    if (!chain || !key_text) return false;
    bssl::UniquePtr<EVP_PKEY> key(
        PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
    char* name = nullptr;
    char* header = nullptr;
    std::uint8_t* der = nullptr;
    long size = 0;
    if (!key || PEM_read_bio(chain.get(), &name, &header, &der, &size) != 1) return false;
    bssl::UniquePtr<char> name_owner(name);
    bssl::UniquePtr<char> header_owner(header);
    bssl::UniquePtr<std::uint8_t> der_owner(der);
    bssl::UniquePtr<CRYPTO_BUFFER> certificate(
        CRYPTO_BUFFER_new(der, static_cast<std::size_t>(size), nullptr));
    CRYPTO_BUFFER* certificates[] = {certificate.get()};
    return SSL_CTX_set_chain_and_key(context_.get(), certificates, 1, key.get(), nullptr) == 1;
  }

  bssl::UniquePtr<SSL_CTX> context_;
  std::string_view protocols_;
  std::string_view input_;
  std::string* output_ = nullptr;
  std::array<char, 16 * 1024> record_;
};
