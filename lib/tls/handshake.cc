// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/handshake.h"

#include <openssl/ssl.h>

#include <utility>

#include "tls/client_handshake.h"
#include "tls/server_handshake.h"
#include "tls/tls_connection.h"

namespace pingora {
namespace {

using internal::ClientHandshake;
using internal::ServerHandshake;
using internal::TlsConnection;

void add(std::atomic<std::uint64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); }

void count(TlsServerCounters& counters, const Result<std::shared_ptr<SslDigest>>& result) {
  if (!result) {
    add(counters.failed);
    if (result.error().type() == ErrorType::TlsHandshakeTimedout) add(counters.timed_out);
    return;
  }
  add(counters.handshakes);
  if ((*result)->is_resumed) add(counters.resumed);
  if ((*result)->has_early_data) add(counters.early_data);
}

Task<std::shared_ptr<SslDigest>> run_server(TlsConnection& connection, Stream& transport,
                                            const internal::TlsServerState& state,
                                            TimePoint deadline) {
  SSL_set_accept_state(connection.ssl());
  SSL_set_shed_handshake_config(connection.ssl(), 1);
  ServerHandshake handshake(connection, transport, state, deadline);
  co_await handshake.run();
  std::shared_ptr<SslDigest> digest = handshake.describe();
  co_await handshake.tell(*digest);
  co_return digest;
}

Task<std::shared_ptr<SslDigest>> run_client(TlsConnection& connection, Stream& transport,
                                            const TlsClientContext::Impl& context,
                                            const TlsConnect& connect, TimePoint deadline) {
  SSL_set_connect_state(connection.ssl());
  SSL_set_shed_handshake_config(connection.ssl(), 1);
  connection.sessions = connect.sessions;
  ClientHandshake handshake(connection, transport, context, connect, deadline);
  co_await handshake.configure();
  co_await handshake.run();
  std::shared_ptr<SslDigest> digest = handshake.describe();
  digest->server_name = connect.server_name;
  co_return digest;
}

std::unique_ptr<TlsStream> make_stream(std::unique_ptr<Stream> transport,
                                       std::unique_ptr<TlsConnection> connection,
                                       std::shared_ptr<const SslDigest> digest) {
  auto stream = std::make_unique<TlsStream>(std::move(transport), std::move(connection));
  stream->mutable_digest().ssl = std::move(digest);
  return stream;
}

}  // namespace

Task<std::unique_ptr<TlsStream>> tls_accept(std::unique_ptr<Stream> transport, Buffer received,
                                            const TlsServerContext& context, TimePoint deadline) {
  // Kept by the connection too, but a handshake that is given up loses that one first.
  std::shared_ptr<internal::TlsServerState> state = context.impl().state;
  std::unique_ptr<TlsConnection> connection =
      co_await TlsConnection::create(*context.impl().context);
  connection->input = std::move(received);
  auto digest = co_await run_server(*connection, *transport, *state, deadline).as_result();
  count(state->counters, digest);
  if (!digest) co_return std::move(digest.error()).into_down();
  co_return make_stream(std::move(transport), std::move(connection), std::move(*digest));
}

Task<std::unique_ptr<TlsStream>> tls_connect(std::unique_ptr<Stream> transport,
                                             const TlsClientContext& context, TlsConnect connect,
                                             TimePoint deadline) {
  std::unique_ptr<TlsConnection> connection =
      co_await TlsConnection::create(*context.impl().context);
  auto digest =
      co_await run_client(*connection, *transport, context.impl(), connect, deadline).as_result();
  if (!digest) {
    Error error = std::move(digest.error()).into_up();
    error.set_retry(error.type() != ErrorType::InvalidCert);
    co_return error;
  }
  co_return make_stream(std::move(transport), std::move(connection), std::move(*digest));
}

}  // namespace pingora
