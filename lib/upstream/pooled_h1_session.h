// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "pingora/runtime/frame_allocator.h"
#include "pingora/session/h1_client_session.h"
#include "pingora/upstream/connection_pool.h"

namespace pingora::internal {

/// An HTTP/1 connection to an upstream: the session and what the pool needs, in one piece.
class PooledH1Session final : public FrameAllocated,
                              public H1ClientSession,
                              public PooledConnection {
 public:
  PooledH1Session(std::unique_ptr<Stream> stream, const HttpPeer& peer, Worker& worker,
                  const ClientSessionOptions& options)
      : H1ClientSession(std::move(stream), options), PooledConnection(peer, worker) {
    if (ConnectionTracer* tracer = this->tracer()) tracer->on_connected(this->peer());
  }
  ~PooledH1Session() override {
    if (ConnectionTracer* tracer = this->tracer()) tracer->on_disconnected(peer());
  }

 private:
  Stream& pooled_stream() noexcept override { return stream(); }
  ConnectionTracer* tracer() const noexcept {
    return peer().options.has_rare() ? peer().options.rare().tracer.get() : nullptr;
  }
};

}  // namespace pingora::internal
