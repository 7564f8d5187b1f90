// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

#include "pingora/runtime/task.h"
#include "pingora/session/client_session.h"
#include "pingora/session/client_session_options.h"
#include "pingora/upstream/connection_pool.h"
#include "pingora/upstream/http_peer.h"
#include "pingora/upstream/transport_connector.h"

namespace pingora {

namespace internal {
class H2Connector;
class PooledH2Connection;
struct GotH2;
}  // namespace internal

struct ConnectorOptions {
  /// Idle connections kept for reuse, over all workers (`upstream_keepalive_pool_size`): so many of
  /// HTTP/1, and so many of HTTP/2.
  std::size_t keepalive_pool_size = 1024;
  /// How long a peer that may speak HTTP/2 and turned out to speak HTTP/1 only is taken for one
  /// that does, before it is asked again.
  std::chrono::milliseconds h2_fallback_time = std::chrono::minutes(5);
  /// Workers of the runtime that it is used on.
  std::size_t workers = 1;
  /// How connections are made. Without `shed_descriptors`, the connector itself is asked.
  TransportConnectorOptions transport{};
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
///
/// HTTP/1 connections carry one exchange at a time, and wait in a pool between them. HTTP/2
/// connections are shared by the exchanges of all workers, up to the peer's limit and
/// `max_h2_streams`; a second one is made when the first is full.
class HttpConnector {
 public:
  explicit HttpConnector(ConnectorOptions options = {});
  /// As `close`.
  ~HttpConnector();
  HttpConnector(const HttpConnector&) = delete;
  HttpConnector& operator=(const HttpConnector&) = delete;

  /// A session to `peer`, for one exchange in the caller's strand, with the timeouts of `peer`.
  /// `peer` must stay until the task ends. Ready at once, without a coroutine, when an idle
  /// connection, or one with a stream free, is there. Cancelling it closes a connection that is
  /// being made, unless others wait for it: then one of them makes it.
  ///
  /// Errors, of a new connection only: see TransportConnector::connect. Nothing of a request was
  /// sent, so any request may be tried again; whether it is, is the caller's to decide.
  Task<UpstreamSession> get_http_session(const HttpPeer& peer);
  /// Takes back a session that an exchange has ended on, in the strand that it ran in: to be kept
  /// for `idle_timeout` of `peer` if it is reusable, or closed. It is kept for the peer that it was
  /// connected for, whatever `peer` was changed to since.
  void release(std::unique_ptr<ClientSession> session, const HttpPeer& peer);

  /// What becomes of `error`, H2Downgrade, which an exchange with `peer` has ended with: if the
  /// peer may speak HTTP/1 too, that is used for a while, and the request may be tried again; else
  /// not.
  void note_downgrade(const HttpPeer& peer, Error& error);

  /// A new connection for what is no HTTP: see TransportConnector::connect.
  Task<ConnectedStream> connect_stream(const HttpPeer& peer) { return transport_.connect(peer); }

  /// Once a second, until it is cancelled: closes what has been idle for too long, and brings the
  /// pool's metrics up to date (`pingora_upstream_pool_total`,
  /// `pingora_upstream_idle_connections`). To be spawned once; without it, connections expire when
  /// they are met or their shard is used.
  Task<> expire_idle_connections();

  /// Closes up to `count` idle connections, those that are idle for the longest first, to free
  /// descriptors. Returns how many.
  std::size_t shed(std::size_t count);
  /// Closes all HTTP/2 connections, and returns when they are gone. Before the runtime is stopped,
  /// on a thread that is none of its own.
  void close();

  /// HTTP/2 connections that take further exchanges.
  std::size_t h2_connections() const;
  ConnectionPool& pool() noexcept { return pool_; }
  TransportConnector& transport() noexcept { return transport_; }

 private:
  // One set of session options for each combination of a peer's leniencies.
  static constexpr std::size_t kLeniencySets = 16;
  const ClientSessionOptions& session_options(const PeerOptions& options) const noexcept;
  Task<UpstreamSession> get_h1_session(const HttpPeer& peer);
  Task<UpstreamSession> new_h1_session(const HttpPeer& peer);
  Result<UpstreamSession> h1_session_on(ConnectedStream connected, const HttpPeer& peer);
  Task<UpstreamSession> get_h2_session(const HttpPeer& peer);
  Task<UpstreamSession> get_h1_session_instead(HttpPeer peer,
                                               std::optional<ConnectedStream> connected);
  Task<UpstreamSession> wait_for_h2_session(const HttpPeer& peer, Task<internal::GotH2> getting);
  UpstreamSession h2_session_on(internal::PooledH2Connection& connection, const HttpPeer& peer);

  std::array<ClientSessionOptions, kLeniencySets> session_options_;
  TransportConnector transport_;
  // HTTP/1: a connection is here while nobody uses it.
  ConnectionPool pool_;
  // HTTP/2: connections in use that have a stream free, looked up by the same PeerKey.
  std::unique_ptr<internal::H2Connector> h2_;
};

}  // namespace pingora
