// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pingora/runtime/event.h"

namespace pingora {

/// Tells everything that runs that the server is going away. Set once, by the server; any thread.
class ShutdownWatch {
 public:
  void begin_shutdown() { event_.set(); }
  bool is_shutting_down() const noexcept { return event_.is_set(); }
  /// Waits until the shutdown begins.
  Event::WaitOp wait() noexcept { return event_.wait(); }

 private:
  Event event_;
};

}  // namespace pingora
