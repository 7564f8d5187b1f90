// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "pingora/net/stream.h"
#include "pingora/runtime/shutdown_watch.h"
#include "pingora/runtime/task.h"

namespace pingora {

/// An application on raw connections, for protocols that are not HTTP. One object serves all
/// connections of a service, from all workers at once. Answers to Pingora's `ServerApp`.
class ServerApp {
 public:
  virtual ~ServerApp() = default;

  /// Serves one connection, which is closed when this returns. `shutdown` tells when the server is
  /// going away: whoever waits for a peer that may be idle should wait for that too. What runs
  /// longer than the grace period is cancelled. An error is logged, unless its source is
  /// Downstream.
  virtual Task<> process_new(std::unique_ptr<Stream> stream, ShutdownWatch& shutdown) = 0;
};

}  // namespace pingora
