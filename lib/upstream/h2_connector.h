// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "h2_store.h"
#include "pingora/runtime/task_group.h"
#include "pingora/upstream/transport_connector.h"
#include "pooled_h2_connection.h"

namespace pingora::internal {

/// What a request to a peer that may speak HTTP/2 gets: one of the two, or neither, if the peer is
/// known to speak HTTP/1 only.
struct GotH2 {
  /// With a stream taken.
  std::shared_ptr<PooledH2Connection> connection;
  /// A new connection on which the peer chose HTTP/1.
  std::optional<ConnectedStream> h1;
};

/// A maker's hold on its making: ended as abandoned, unless it was ended otherwise, also when a
/// task is dropped that it was given to, begun or not.
class MakingGuard {
 public:
  /// Of what `find` gave, if that makes the caller a maker.
  MakingGuard(H2Store& store, const H2Store::Found& found) noexcept
      : store_(&store), making_(found.is_maker ? found.making : nullptr) {}
  MakingGuard(MakingGuard&& other) noexcept = default;
  MakingGuard& operator=(MakingGuard&& other) noexcept {
    std::swap(store_, other.store_);
    std::swap(making_, other.making_);
    return *this;
  }
  ~MakingGuard() {
    if (making_ != nullptr) store_->abandoned(making_);
  }
  void made(std::shared_ptr<SharedConnection> connection) {
    store_->made(std::exchange(making_, nullptr), std::move(connection));
  }
  void failed(const Error& error) { store_->failed(std::exchange(making_, nullptr), error); }

 private:
  H2Store* store_;
  std::shared_ptr<H2Store::Making> making_;  // shared with the store and those who wait
};

/// Gives streams of HTTP/2 connections, and owns the tasks that these run in.
class H2Connector {
 public:
  /// `transport` outlives it. See H2Store for the others.
  H2Connector(TransportConnector& transport, std::size_t capacity, Duration fallback_time);
  H2Connector(const H2Connector&) = delete;
  H2Connector& operator=(const H2Connector&) = delete;
  ~H2Connector() { close(); }

  /// Whether a peer is spoken to by HTTP/2, or asked whether it speaks it.
  static bool is_for(const HttpPeer& peer) noexcept {
    return peer.options.alpn != Alpn::H1 && (peer.is_tls() || peer.options.alpn == Alpn::H2);
  }

  /// A stream of a connection that has one free, or of a new one. `peer` must stay until it ends.
  /// Ready at once where there is one. Errors: see TransportConnector::connect; H2Downgrade for a
  /// peer that has to speak HTTP/2 and does not.
  Task<GotH2> get(const HttpPeer& peer);

  H2Store& store() noexcept { return store_; }
  /// Closes all connections, and returns when they are gone. Not on a thread of the runtime, which
  /// must not have stopped if there are any.
  void close();

 private:
  Task<GotH2> wait_or_make(const HttpPeer& peer, H2Store::Found found, MakingGuard guard);
  Task<GotH2> make(const HttpPeer& peer, MakingGuard guard);
  Task<> run(std::shared_ptr<PooledH2Connection> connection, Buffer received, MakingGuard guard);
  Task<> carry(std::shared_ptr<PooledH2Connection> connection, Buffer received);
  Task<> announce(std::shared_ptr<PooledH2Connection> connection, MakingGuard guard);
  TaskGroup& tasks(Runtime& runtime);

  TransportConnector& transport_;
  H2Store store_;
  std::mutex mutex_;                  // guards the making of tasks_
  std::unique_ptr<TaskGroup> tasks_;  // last: they use all of the above
};

}  // namespace pingora::internal
