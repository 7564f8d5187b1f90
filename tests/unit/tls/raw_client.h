// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>

#include "pingora/runtime/task.h"
#include "tls/tls_connection.h"
#include "tls/tls_session_impl.h"

namespace pingora {

/// A client that does what no client of the library does: BoringSSL by hand, trusting everybody.
class RawClient {
 public:
  explicit RawClient(std::unique_ptr<Stream> transport) : transport_(std::move(transport)) {
    SSL_CTX_set_custom_verify(context_.get(), SSL_VERIFY_PEER,
                              [](SSL*, std::uint8_t*) { return ssl_verify_ok; });
    connection_ = std::move(internal::TlsConnection::create(*context_).value());
    SSL_set_connect_state(ssl());
    REQUIRE(SSL_set_tlsext_host_name(ssl(), "a.example") == 1);
  }
  SSL* ssl() const { return connection_->ssl(); }
  Stream& transport() { return *transport_; }
  void close() { transport_.reset(); }
  /// How reading ended: SSL_ERROR_ZERO_RETURN with close_notify, SSL_ERROR_SSL with an alert.
  int end() const { return end_; }

  void offer(const TlsSession& session) {
    SSL_set_session(ssl(), session.impl().session.get());
    SSL_set_early_data_enabled(ssl(), 1);
  }
  Task<> handshake() {
    while (SSL_do_handshake(ssl()) != 1) {
      co_await send();
      if (!co_await receive()) co_await Error::explain(ErrorType::ConnectionClosed, "handshake");
    }
    co_await send();
  }
  Task<> write(std::string text) {
    REQUIRE(SSL_write(ssl(), text.data(), static_cast<int>(text.size())) ==
            static_cast<int>(text.size()));
    co_await send();
  }
  /// What comes next; empty at the end.
  Task<std::string> read() {
    std::string text(20000, '\0');
    while (true) {
      int size = SSL_read(ssl(), text.data(), static_cast<int>(text.size()));
      co_await send();
      if (size > 0) co_return text.substr(0, static_cast<std::size_t>(size));
      end_ = SSL_get_error(ssl(), size);
      if (end_ != SSL_ERROR_WANT_READ || !co_await receive()) {
        co_return std::string();
      }
    }
  }
  /// Writes what was sealed; `flip` changes a bit of its last byte.
  Task<> send(bool flip = false) {
    std::string sealed(connection_->output.view());
    connection_->output.reset();
    if (flip) sealed.back() = static_cast<char>(sealed.back() ^ 1);
    co_await transport_->write({sealed});
  }
  Task<bool> receive() { co_return co_await transport_->read(connection_->input) != 0; }

 private:
  bssl::UniquePtr<SSL_CTX> context_{SSL_CTX_new(TLS_with_buffers_method())};
  std::unique_ptr<internal::TlsConnection> connection_;
  std::unique_ptr<Stream> transport_;
  int end_ = SSL_ERROR_NONE;
};

}  // namespace pingora
