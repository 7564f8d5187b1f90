// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

#include "h2_store.h"
#include "pingora/session/h2_client_connection.h"
#include "pingora/upstream/http_peer.h"

namespace pingora::internal {

/// What the options of a peer say of an HTTP/2 connection to it.
H2Options h2_options(const PeerOptions& options);

/// An HTTP/2 connection to an upstream, and what the store needs. Shared by the store, its
/// sessions' users while they get one, and the task that runs it.
class PooledH2Connection final : public SharedConnection {
 public:
  PooledH2Connection(std::unique_ptr<Stream> stream, const HttpPeer& peer)
      : peer_(peer),
        connection_(std::move(stream), h2_options(peer.options), peer.options.max_h2_streams) {
    if (ConnectionTracer* tracer = this->tracer()) tracer->on_connected(peer_);
  }
  ~PooledH2Connection() override {
    if (ConnectionTracer* tracer = this->tracer()) tracer->on_disconnected(peer_);
  }

  /// The peer as it was when the connection was made.
  const HttpPeer& peer() const noexcept { return peer_; }
  H2ClientConnection& connection() noexcept { return connection_; }
  /// How long it is kept behind its last exchange: as the last peer says that took a stream.
  void set_idle_timeout(std::chrono::milliseconds timeout) noexcept {
    idle_timeout_.store(timeout, std::memory_order_relaxed);
  }

  bool try_take_stream() noexcept override { return connection_.slots().try_take(); }
  bool is_closed_to_streams() const noexcept override { return slots().is_closed(); }
  bool is_idle() const noexcept override { return slots().is_idle(); }
  TimePoint idle_since() const noexcept override { return slots().idle_since(); }
  TimePoint expiry() const noexcept override {
    auto timeout = idle_timeout_.load(std::memory_order_relaxed);
    return timeout == kNoTimeout ? kNever : idle_since() + timeout;
  }
  bool close_if_idle() noexcept override { return connection_.close_if_idle(); }

 private:
  const StreamSlots& slots() const noexcept { return connection_.slots(); }
  ConnectionTracer* tracer() const noexcept {
    return peer_.options.has_rare() ? peer_.options.rare().tracer.get() : nullptr;
  }

  const HttpPeer peer_;
  H2ClientConnection connection_;
  std::atomic<std::chrono::milliseconds> idle_timeout_{kNoTimeout};
};

}  // namespace pingora::internal
