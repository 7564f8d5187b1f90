// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/load_balancing/tls_health_check.h"

#include <algorithm>
#include <utility>

namespace pingora {

TlsHealthCheck::TlsHealthCheck(Options options)
    : options_(std::move(options)),
      connector_({.tls_contexts_max = 1, .tls_session_peers_max = 0}) {
  options_.peer.total_connection_timeout =
      std::min(options_.peer.total_connection_timeout, options_.connect_timeout);
}

Task<> TlsHealthCheck::check(const Backend& backend) {
  HttpPeer peer(backend.address(), Tls::Yes,
                options_.sni_of ? options_.sni_of(backend) : options_.sni);
  peer.options = options_.peer;
  co_await connector_.connect(peer);
}

}  // namespace pingora
