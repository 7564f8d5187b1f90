// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pingora/base/buffer.h"
#include "pingora/base/clock.h"
#include "pingora/runtime/task.h"
#include "pingora/tls/tls_client_context.h"
#include "pingora/tls/tls_server_context.h"
#include "pingora/tls/tls_session.h"
#include "pingora/tls/tls_stream.h"

namespace pingora {

/// Which server a connection is for.
struct TlsConnect {
  /// The name that is sent (SNI) and looked for in the certificate. An address is not sent, only
  /// looked for (RFC 6066 §3). Empty: neither, so that `VerifyServer::Full` fails.
  std::string server_name{};
  /// Other names that the certificate may be for instead.
  std::vector<std::string> alternative_names{};
  /// A session to resume, if the server is willing; null for none.
  TlsSession::Ptr session{};
  /// What is told of sessions to resume later; owned with the connection. Null: nobody.
  std::shared_ptr<TlsSessionSink> sessions{};
};

/// The server's part of a handshake on `transport`, of which `received` has been read already.
/// `context` lives until the task ends; the connection keeps of it what it needs.
///
/// Waits for the client, for certificates, keys and verification that take their time, until
/// `deadline`. Errors, source Downstream: TlsHandshakeFailure, TlsHandshakeTimedout, InvalidCert
/// (what the client has shown), ConnectionClosed (the client has left before it said anything).
/// An alert that says why has been sent then, if it went without waiting, and the transport is
/// closed. Cancelling closes the transport.
Task<std::unique_ptr<TlsStream>> tls_accept(std::unique_ptr<Stream> transport, Buffer received,
                                            const TlsServerContext& context,
                                            TimePoint deadline = kNever);

/// The client's part of a handshake. `context` lives until the task ends, `connect` is copied.
/// Errors, source Upstream: TlsHandshakeFailure, TlsHandshakeTimedout, InvalidCert; retry is set,
/// for none of the request is gone, save for InvalidCert.
Task<std::unique_ptr<TlsStream>> tls_connect(std::unique_ptr<Stream> transport,
                                             const TlsClientContext& context, TlsConnect connect,
                                             TimePoint deadline = kNever);

}  // namespace pingora
