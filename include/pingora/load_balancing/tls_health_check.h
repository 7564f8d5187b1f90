// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "pingora/load_balancing/health_check.h"
#include "pingora/upstream/peer_options.h"
#include "pingora/upstream/transport_connector.h"

namespace pingora {

/// Tries to connect and to agree on TLS: a backend whose certificate has expired, or is not for the
/// name that requests will ask for, is unhealthy before the first request fails on it. Nothing is
/// sent behind the handshake. Answers to Pingora's `TcpHealthCheck::new_tls`.
///
/// Every check is a whole handshake: no session is resumed, because the certificate would not be
/// looked at then.
class TlsHealthCheck final : public HealthCheck {
 public:
  struct Options {
    /// The name that is asked for and verified, of all backends. Empty: the backend's address,
    /// which is only verified.
    std::string sni{};
    /// As `sni`, for each backend: of what it has as its extension, say. Called on any thread, side
    /// by side. Null: `sni`.
    std::function<std::string(const Backend&)> sni_of{};
    /// For all that a check takes, from the connection to the end of the handshake. The timeouts of
    /// `peer` count as well, where they are shorter.
    std::chrono::milliseconds connect_timeout{1000};
    unsigned consecutive_success = 1;
    unsigned consecutive_failure = 1;
    /// Told of each change, on any thread.
    std::function<void(const Backend&, Health)> on_change{};
    /// How requests will connect: verification, issuers, the certificate to show, ALPN, versions,
    /// local addresses. A `ca_file` that cannot be read makes every backend unhealthy.
    PeerOptions peer{};
  };
  explicit TlsHealthCheck(Options options);

  /// Errors are those of `TransportConnector::connect`.
  Task<> check(const Backend& backend) override;
  unsigned threshold(Health health) const noexcept override {
    return health == Health::Healthy ? options_.consecutive_success : options_.consecutive_failure;
  }
  void on_health_change(const Backend& backend, Health health) override {
    if (options_.on_change) options_.on_change(backend, health);
  }

 private:
  Options options_;
  TransportConnector connector_;
};

}  // namespace pingora
