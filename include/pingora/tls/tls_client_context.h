// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pingora/base/bytes.h"
#include "pingora/base/error.h"
#include "pingora/runtime/task.h"
#include "pingora/tls/certificate.h"
#include "pingora/tls/key_log.h"
#include "pingora/tls/tls_settings.h"

namespace pingora {

/// How far a server's certificate is checked. Anything but `Full` is open to whoever is between.
enum class VerifyServer : std::uint8_t {
  Off,
  /// The chain, but not whether it is for the name that was asked for.
  ChainOnly,
  Full,
};

/// A program's own judgement of servers. Shared by all handshakes of a context, on all workers.
class ServerVerifier {
 public:
  virtual ~ServerVerifier() = default;
  /// Decides on the server that was asked for as `server_name`; `chain` is what it has shown (DER,
  /// its own certificate first), `failure` says what is wrong with that, null if nothing is. An
  /// error fails the handshake. Runs in the strand of the handshake, within its deadline, and is
  /// cancelled with it; what is passed lives until it ends.
  virtual Task<> verify(std::span<const Bytes> chain, std::string_view server_name,
                        const Error* failure) = 0;
};

/// How connections to servers speak TLS.
struct TlsClientOptions {
  VerifyServer verify = VerifyServer::Full;
  /// Whom to trust: a PEM file, or what would be in it; both empty for the system's store.
  std::string ca_file;
  std::string ca_pem;
  /// Certificates between the server's and the issuer's, at most.
  unsigned chain_depth_max = 8;
  std::shared_ptr<ServerVerifier> verifier;  // null: none; also asked where `verify` is Off

  /// What to show to servers that ask for a certificate; null for none.
  Certificate::Ptr certificate;

  TlsVersion version_min = TlsVersion::Tls12;
  TlsVersion version_max = TlsVersion::Tls13;
  /// For TLS 1.2, as in TlsSettings; empty for BoringSSL's own choice.
  std::string ciphers;
  std::string groups = "X25519:P-256:P-384";
  /// Offered in this order (ALPN); none offers nothing.
  std::vector<std::string> alpn;
  std::shared_ptr<KeyLog> key_log;  // shared by contexts; null: none
};

/// What all connections with the same options share. Immutable; any thread.
class TlsClientContext {
 public:
  using Ptr = std::shared_ptr<const TlsClientContext>;

  /// Reads and checks what `options` names. Blocks for files: for start-up and `offload`. Errors:
  /// ConfigError, FileOpenError, FileReadError, with what is wrong.
  static Result<Ptr> create(TlsClientOptions options);
  TlsClientContext(const TlsClientContext&) = delete;
  TlsClientContext& operator=(const TlsClientContext&) = delete;
  ~TlsClientContext();

  const TlsClientOptions& options() const noexcept;

  /// What lib/tls knows of it.
  struct Impl;
  const Impl& impl() const noexcept { return *impl_; }
  explicit TlsClientContext(std::unique_ptr<Impl> impl) noexcept;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace pingora
