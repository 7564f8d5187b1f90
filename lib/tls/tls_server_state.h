// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "pingora/tls/ticket_keys.h"
#include "pingora/tls/tls_server_context.h"
#include "tls/verify.h"

namespace pingora {

namespace internal {

/// What the callbacks of a listener's connections need. Owned by the context and by the SSL_CTX,
/// which the last connection keeps.
struct TlsServerState {
  TlsSettings settings;
  std::shared_ptr<TicketKeys> ticket_keys;
  Trust trust;  // of clients' certificates
  /// Sessions of another listener with other demands on clients are not resumed.
  std::string session_context;
  mutable TlsServerCounters counters;
};

}  // namespace internal

struct TlsServerContext::Impl {
  std::shared_ptr<internal::TlsServerState> state;
  bssl::UniquePtr<SSL_CTX> context;
};

}  // namespace pingora
