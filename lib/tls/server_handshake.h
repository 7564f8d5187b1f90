// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pingora/tls/tls_accept.h"
#include "tls/tls_handshake.h"
#include "tls/tls_server_state.h"

namespace pingora::internal {

/// The server's part.
class ServerHandshake final : public TlsHandshake {
 public:
  ServerHandshake(TlsConnection& connection, Stream& transport, const TlsServerState& state,
                  TimePoint deadline) noexcept
      : TlsHandshake(connection, transport, deadline), state_(state) {}

  /// To be called when it is complete: lets the program see, and add to, what was agreed on.
  Task<> tell(SslDigest& digest);

  ssl_select_cert_result_t select_certificate(const SSL_CLIENT_HELLO& hello) override;
  bool refuses_name() const noexcept override { return refuses_name_; }

 protected:
  Task<> start_verifying(const STACK_OF(CRYPTO_BUFFER) & chain, std::uint8_t& alert) override;
  Task<> await_certificate() override { return await(selected_); }

 private:
  ssl_select_cert_result_t use_selected(const SSL_CLIENT_HELLO& hello);
  Result<Certificate::Ptr> find_in_store();
  Result<void> bind_session();

  const TlsServerState& state_;
  std::string server_name_;
  std::optional<ClientHello> hello_;  // for the program's callback; views into these two
  std::string alpn_;
  AcceptedKeys accepted_keys_;
  Awaited<Certificate::Ptr> selected_;
  // For the program's callback as well.
  std::vector<Bytes> chain_;
  ClientCertificate client_;
  std::optional<Error> verify_failure_;
  Awaited<void> told_;
  bool refuses_name_ = false;
};

}  // namespace pingora::internal
