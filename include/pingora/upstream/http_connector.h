// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "pingora/net/happy_eyeballs.h"
#include "pingora/net/resolver.h"
#include "pingora/net/socket_address.h"
#include "pingora/runtime/task.h"
#include "pingora/session/client_session.h"
#include "pingora/session/client_session_options.h"
#include "pingora/upstream/connection_pool.h"
#include "pingora/upstream/http_peer.h"
#include "pingora/upstream/transport_connector.h"

namespace pingora {

struct ConnectorOptions {
  /// Idle connections kept for reuse, over all workers (`upstream_keepalive_pool_size`).
  std::size_t keepalive_pool_size = 128;
  /// Workers of the runtime that it is used on.
  std::size_t workers = 1;
  /// See TransportConnectorOptions.
  std::vector<SocketAddress> client_bind_to_ipv4{};
  std::vector<SocketAddress> client_bind_to_ipv6{};
  std::shared_ptr<Resolver> resolver{};
  HappyEyeballsOptions pace{};
  std::size_t tls_contexts_max = 64;
  std::size_t tls_session_peers_max = 1024;
  /// Of all sessions; leniencies and timeouts of the peer are put over them.
  ClientSessionOptions session{};
};

/// A session to carry an exchange on.
struct UpstreamSession {
  std::unique_ptr<ClientSession> session;
  /// Whether the connection was used before.
  bool reused = false;
};

/// Gives sessions to HTTP upstreams, new or reused. One for all workers of a runtime; its functions
/// are called in a strand of it. Outlives the sessions that it gave.
class HttpConnector {
 public:
  explicit HttpConnector(ConnectorOptions options = {});
  HttpConnector(const HttpConnector&) = delete;
  HttpConnector& operator=(const HttpConnector&) = delete;

  /// A session to `peer`, for one exchange in the caller's strand, with the timeouts of `peer`.
  /// `peer` must stay until the task ends. Ready at once, without a coroutine, when an idle
  /// connection is there. Cancelling it closes a connection that is being made.
  ///
  /// Errors, of a new connection only: see TransportConnector::connect. Nothing of a request was
  /// sent, so any request may be tried again; whether it is, is the caller's to decide.
  Task<UpstreamSession> get_http_session(const HttpPeer& peer);
  /// Takes back a session that an exchange has ended on, in the strand that it ran in: to be kept
  /// for `idle_timeout` of `peer` if it is reusable, or closed. It is kept for the peer that it was
  /// connected for, whatever `peer` was changed to since.
  void release(std::unique_ptr<ClientSession> session, const HttpPeer& peer);

  /// A new connection for what is no HTTP: see TransportConnector::connect.
  Task<ConnectedStream> connect_stream(const HttpPeer& peer) { return transport_.connect(peer); }

  /// Once a second, until it is cancelled: closes what has been idle for too long, and brings the
  /// pool's metrics up to date (`pingora_upstream_pool_total`,
  /// `pingora_upstream_idle_connections`). To be spawned once; without it, connections expire when
  /// they are met or their shard is used.
  Task<> expire_idle_connections();

  ConnectionPool& pool() noexcept { return pool_; }
  TransportConnector& transport() noexcept { return transport_; }

 private:
  // One set of session options for each combination of a peer's leniencies.
  static constexpr std::size_t kLeniencySets = 16;
  const ClientSessionOptions& session_options(const PeerOptions& options) const noexcept;
  Task<UpstreamSession> new_session(const HttpPeer& peer);

  std::array<ClientSessionOptions, kLeniencySets> session_options_;
  TransportConnector transport_;
  // HTTP/1: a connection is here while nobody uses it. HTTP/2 will have a second store, of
  // connections in use that have a stream free, looked up by the same PeerKey and before this one.
  ConnectionPool pool_;
};

}  // namespace pingora
