// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pingora/base/buffer.h"
#include "pingora/net/connect.h"
#include "pingora/net/happy_eyeballs.h"
#include "pingora/net/resolver.h"
#include "pingora/net/stream.h"
#include "pingora/runtime/task.h"
#include "pingora/upstream/http_peer.h"

namespace pingora {

namespace internal {
class TlsConnector;
}

struct TransportConnectorOptions {
  /// Local addresses that connections come from, in turn, where the peer has no `bind_to`. Empty:
  /// what the system chooses.
  std::vector<SocketAddress> client_bind_to_ipv4{};
  std::vector<SocketAddress> client_bind_to_ipv6{};
  /// Finds the addresses of names; may be shared with others. Null: one of its own.
  std::shared_ptr<Resolver> resolver{};
  /// How the addresses of one name are tried.
  HappyEyeballsOptions pace{};
  /// Whom to trust where the peer does not say (`ca_file`): a PEM file, read when the first
  /// connection needs it. Empty: as the system does.
  std::string ca_file{};
  /// Where the keys of TLS connections are written to, for debugging. Null: nowhere.
  std::shared_ptr<KeyLog> key_log{};
  /// Sets of TLS options that are kept ready, at most; each has its trusted certificates in memory.
  /// The one that was not used for the longest is made again when it is. At least 1.
  std::size_t tls_contexts_max = 64;
  /// Peers that TLS sessions are kept for, to be resumed by the next connection: up to 4 sessions
  /// of a few KB each. 0: none is resumed.
  std::size_t tls_session_peers_max = 1024;
  /// Asked, where there is no descriptor for a new connection, to close up to that many that are
  /// not in use; returns how many. If it did any, connecting is tried once more.
  std::function<std::size_t(std::size_t count)> shed_descriptors{};
};

/// A connection to a peer.
struct ConnectedStream {
  std::unique_ptr<Stream> stream;
  /// What came behind an upstream proxy's answer to CONNECT: the first bytes of the peer.
  Buffer received;
};

/// Makes the connections that peers ask for: TCP over all addresses of a name, Unix sockets,
/// tunnels through upstream proxies, streams of a program's own; and TLS on any of them. May be
/// used from any number of strands; never reuses a connection, but TLS sessions, of equal peers.
class TransportConnector {
 public:
  explicit TransportConnector(TransportConnectorOptions options = {});
  ~TransportConnector();

  /// A new connection to `peer`, which must stay until this ends, as must the connector. It waits
  /// in the worker of the caller's strand. Cancelling it closes what was begun.
  ///
  /// Errors have source Upstream: ConnectTimedout, ConnectRefused, ConnectNoRoute, ConnectError,
  /// ResolveError, ConnectProxyFailure (whose `status` is the proxy's answer, if there was one),
  /// TlsHandshakeFailure, TlsHandshakeTimedout, InvalidCert. Or source Internal: InternalError,
  /// when the fault is on this side (no local port, a bad peer, TLS options that cannot be used; no
  /// descriptors, with status 503).
  Task<ConnectedStream> connect(const HttpPeer& peer);

  Resolver& resolver() noexcept { return *options_.resolver; }
  internal::TlsConnector& tls() noexcept { return *tls_; }

 private:
  Task<ConnectedStream> attempt(const HttpPeer& peer);
  Task<std::unique_ptr<Stream>> connect_transport(const HttpPeer& peer, TimePoint deadline);
  Task<std::unique_ptr<Stream>> connect_name(const HttpPeer& peer, ConnectOptions options);
  ConnectOptions connect_options(const HttpPeer& peer, TimePoint deadline) const;
  const SocketAddress* next_bind_address(SocketAddress::Family family) noexcept;

  TransportConnectorOptions options_;
  std::atomic<std::size_t> next_bind_{0};
  std::unique_ptr<internal::TlsConnector> tls_;
};

}  // namespace pingora
