// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "pingora/base/buffer.h"
#include "pingora/net/connect.h"
#include "pingora/net/happy_eyeballs.h"
#include "pingora/net/resolver.h"
#include "pingora/net/stream.h"
#include "pingora/runtime/task.h"
#include "pingora/upstream/http_peer.h"

namespace pingora {

struct TransportConnectorOptions {
  /// Local addresses that connections come from, in turn, where the peer has no `bind_to`. Empty:
  /// what the system chooses.
  std::vector<SocketAddress> client_bind_to_ipv4{};
  std::vector<SocketAddress> client_bind_to_ipv6{};
  /// Finds the addresses of names; may be shared with others. Null: one of its own.
  std::shared_ptr<Resolver> resolver{};
  /// How the addresses of one name are tried.
  HappyEyeballsOptions pace{};
};

/// A connection to a peer.
struct ConnectedStream {
  std::unique_ptr<Stream> stream;
  /// What came behind an upstream proxy's answer to CONNECT: the first bytes of the peer.
  Buffer received;
};

/// Makes the connections that peers ask for: TCP over all addresses of a name, Unix sockets,
/// tunnels through upstream proxies, streams of a program's own. May be used from any number of
/// strands; never reuses a connection.
class TransportConnector {
 public:
  explicit TransportConnector(TransportConnectorOptions options = {});

  /// A new connection to `peer`, which must stay until this ends, as must the connector. It waits
  /// in the worker of the caller's strand. Cancelling it closes what was begun.
  ///
  /// Errors have source Upstream: ConnectTimedout, ConnectRefused, ConnectNoRoute, ConnectError,
  /// ResolveError, ConnectProxyFailure (whose `status` is the proxy's answer, if there was one). Or
  /// source Internal: InternalError, when the fault is on this side (no local port, a bad peer).
  Task<ConnectedStream> connect(const HttpPeer& peer);

  Resolver& resolver() noexcept { return *options_.resolver; }

 private:
  Task<ConnectedStream> attempt(const HttpPeer& peer, TimePoint deadline);
  Task<std::unique_ptr<Stream>> connect_transport(const HttpPeer& peer, TimePoint deadline);
  Task<std::unique_ptr<Stream>> connect_name(const HttpPeer& peer, ConnectOptions options);
  ConnectOptions connect_options(const HttpPeer& peer, TimePoint deadline) const;
  const SocketAddress* next_bind_address(SocketAddress::Family family) noexcept;

  TransportConnectorOptions options_;
  std::atomic<std::size_t> next_bind_{0};
};

}  // namespace pingora
