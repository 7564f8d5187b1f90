// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pingora/base/bytes.h"
#include "pingora/base/error.h"
#include "pingora/net/digest.h"
#include "pingora/runtime/task.h"
#include "pingora/tls/certificate.h"
#include "pingora/tls/certificate_store.h"

namespace pingora {

/// What a client has said in the beginning of a handshake. The client's words: unverified, and to
/// be escaped in logs.
struct ClientHello {
  std::string_view server_name;        // SNI, as sent; empty: none
  std::vector<std::string_view> alpn;  // in the client's order
  AcceptedKeys accepted_keys;
  const SocketAddress& peer_address;
};

/// The certificates that a client has shown.
struct ClientCertificate {
  std::span<const Bytes> chain;  // DER, the client's own first
  std::string subject;           // of the first; these are as in SslDigest
  std::string organization;
  std::string serial_number;
  std::string sha256;  // 32 bytes
};

/// What a program has to say in the handshakes of a listener; each function has a default. Answers
/// to Pingora's `TlsAccept`.
///
/// Used by all connections at once, on all workers; each call runs in the strand of its connection
/// and may wait, within the deadline of the handshake. What is passed by reference lives until the
/// task ends. An error ends the handshake.
class TlsAccept {
 public:
  virtual ~TlsAccept() = default;

  /// The certificate to show. By default, and where this gives null, the listener's store decides.
  virtual Task<Certificate::Ptr> certificate(const ClientHello& hello) {
    (void)hello;
    return Certificate::Ptr();
  }
  /// Whether to accept the certificate that the client has shown. `failure` says what is wrong with
  /// it (unknown issuer, expired), null if nothing is. By default, fails if that is not null. Not
  /// called where the client has shown none.
  virtual Task<> verify_client(const ClientCertificate& certificate, const Error* failure) {
    (void)certificate;
    if (failure != nullptr) return failure->clone();
    return {};
  }
  /// The handshake is complete. What this keeps in `digest.extension` is in the digest of the
  /// connection, for phases. By default nothing.
  virtual Task<> handshake_complete(SslDigest& digest) {
    (void)digest;
    return {};
  }
};

}  // namespace pingora
