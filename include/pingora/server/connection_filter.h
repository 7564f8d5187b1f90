// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pingora/net/digest.h"
#include "pingora/runtime/task.h"

namespace pingora {

/// Decides which connections are served, before anything is read from them. One object serves all
/// connections of a service, from all workers at once. Answers to Pingora's `ConnectionFilter`.
class ConnectionFilter {
 public:
  virtual ~ConnectionFilter() = default;

  /// Whether the connection with these addresses is served; if not, it is closed without a word. An
  /// error closes it too. It may wait: other connections are accepted meanwhile.
  virtual Task<bool> should_accept(const Digest& digest) = 0;
};

}  // namespace pingora
