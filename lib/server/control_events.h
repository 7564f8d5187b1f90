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
  void request_reload() noexcept;
  /// Something that the waiting thread looks at has changed.
  void notify() noexcept;

  /// Requests of both kinds so far.
  unsigned requests() const noexcept { return requests_.load(); }
  bool is_fast_requested() const noexcept { return is_fast_requested_.load(); }
  /// Whether a reload was requested since the last call.
  bool take_reload_request() noexcept { return is_reload_requested_.exchange(false); }
  /// Waits until somebody notified since the last wait, or `deadline`.
  void wait_until(TimePoint deadline);

 private:
  UniqueFd fd_;
  std::atomic<unsigned> requests_{0};
  std::atomic<bool> is_fast_requested_{false};
  std::atomic<bool> is_reload_requested_{false};
};

/// While it lives, SIGTERM and SIGQUIT request a graceful shutdown, SIGINT a fast one, and SIGHUP a
/// reload. One at a time in a process.
class ControlSignals {
 public:
  explicit ControlSignals(ControlEvents& events);
  ~ControlSignals();
  ControlSignals(const ControlSignals&) = delete;
  ControlSignals& operator=(const ControlSignals&) = delete;

 private:
  std::array<struct sigaction, 4> before_{};
};

}  // namespace pingora::internal
