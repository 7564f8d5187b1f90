// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include <array>
#include <atomic>

#include "pingora/base/clock.h"
#include "pingora/net/unique_fd.h"

namespace pingora::internal {

/// Wakes the thread that waits for a server's end; other threads and signal handlers notify it.
class ControlEvents {
 public:
  ControlEvents();

  /// Any thread, and signal handlers.
  void request_graceful() noexcept;
  void request_fast() noexcept;
  /// Something that the waiting thread looks at has changed.
  void notify() noexcept;

  /// Requests of both kinds so far.
  unsigned requests() const noexcept { return requests_.load(); }
  bool is_fast_requested() const noexcept { return is_fast_requested_.load(); }
  /// Waits until somebody notified since the last wait, or `deadline`.
  void wait_until(TimePoint deadline);

 private:
  UniqueFd fd_;
  std::atomic<unsigned> requests_{0};
  std::atomic<bool> is_fast_requested_{false};
};

/// While it lives, SIGTERM and SIGQUIT request a graceful shutdown, and SIGINT a fast one. One at a
/// time in a process.
class ShutdownSignals {
 public:
  explicit ShutdownSignals(ControlEvents& events);
  ~ShutdownSignals();
  ShutdownSignals(const ShutdownSignals&) = delete;
  ShutdownSignals& operator=(const ShutdownSignals&) = delete;

 private:
  std::array<struct sigaction, 3> before_{};
};

}  // namespace pingora::internal
