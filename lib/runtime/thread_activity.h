// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace pingora {

/// Tells a thread that computes or is blocked from one that only waits for a core: on a machine
/// where others have their turns, a thread can stand still for longer than the monitor's period,
/// and running its work elsewhere would gain nothing.
///
/// The thread calls `attach` once; then others ask, until it ends.
class ThreadActivity {
 public:
  ThreadActivity() noexcept = default;
  ThreadActivity(const ThreadActivity&) = delete;
  ThreadActivity& operator=(const ThreadActivity&) = delete;
  ~ThreadActivity();

  /// Called by the thread to be told of.
  void attach() noexcept;

  /// How long the thread has run so far; 0 if that is not known.
  std::chrono::nanoseconds cpu_time() const noexcept;
  /// Whether it could go on if it had a core: what it is when it runs, too. False if that is not
  /// known, as where there is no /proc.
  bool is_runnable() const noexcept;

 private:
  std::atomic<int> clock_{0};         // 0: not attached
  std::atomic<int> status_file_{-1};  // its stat in /proc
};

}  // namespace pingora
