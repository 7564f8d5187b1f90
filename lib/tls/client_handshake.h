// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "pingora/tls/handshake.h"
#include "tls/tls_client_state.h"
#include "tls/tls_handshake.h"

namespace pingora::internal {

/// The client's part.
class ClientHandshake final : public TlsHandshake {
 public:
  ClientHandshake(TlsConnection& connection, Stream& transport,
                  const TlsClientContext::Impl& context, const TlsConnect& connect,
                  TimePoint deadline) noexcept
      : TlsHandshake(connection, transport, deadline), context_(context), connect_(connect) {}

  /// To be called before `run`.
  Result<void> configure();

  ssl_select_cert_result_t select_certificate(const SSL_CLIENT_HELLO& /*hello*/) override {
    return ssl_select_cert_error;
  }

 protected:
  Task<> start_verifying(const STACK_OF(CRYPTO_BUFFER) & chain, std::uint8_t& alert) override;
  Task<> await_certificate() override { return {}; }

 private:
  Result<void> check(const STACK_OF(CRYPTO_BUFFER) & chain, std::uint8_t& alert) const;

  const TlsClientContext::Impl& context_;
  const TlsConnect& connect_;
  // For the program's verifier.
  std::vector<Bytes> chain_;
  std::optional<Error> verify_failure_;
};

}  // namespace pingora::internal
