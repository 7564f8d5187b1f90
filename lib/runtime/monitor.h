// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "pingora/runtime/runtime.h"

namespace pingora {

/// Watches the workers' ticks and runs the io_context of one that is stuck.
///
/// Two threads take turns: one looks, the other rests until the first has gone to help, so that a
/// helper that itself picks up a slow handler is helped too.
class Monitor {
 public:
  Monitor(Runtime& runtime, std::vector<std::unique_ptr<Worker>>& workers);
  ~Monitor();

  void start();
  void stop();
  /// Ends the monitor's rest: a thread that was idle has something to do. Cheap when it is awake.
  static void wake_if_resting() noexcept;
  std::uint64_t helped_count() const noexcept { return helped_.load(std::memory_order_relaxed); }

 private:
  struct Helper {
    std::thread thread;
    std::atomic<std::uint64_t> tick{0};
  };
  struct Watched {
    std::atomic<Helper*> helper{nullptr};
    std::uint64_t seen = 0;           // the worker's tick at the last look
    std::uint64_t helper_seen = 0;    // its helper's
    std::chrono::nanoseconds ran{0};  // what the worker had run when that tick was first seen
  };

  void run(Helper& self);
  /// Waits for a stuck worker; null when the monitor stops. Called by the thread that looks.
  Worker* watch(std::size_t* index);
  bool is_stuck(const Worker& worker, Watched& watched, std::uint64_t tick) const;
  void help(Worker& worker, std::size_t index, Helper& self);
  bool pause(bool is_idle);

  Runtime& runtime_;
  std::vector<std::unique_ptr<Worker>>& workers_;
  std::vector<Watched> watched_;
  std::array<Helper, 2> helpers_;
  std::mutex look_;  // held by the thread that looks
  std::atomic<bool> is_stopping_{false};
  std::atomic<std::uint64_t> helped_{0};
};

/// The tick of the calling thread, or null on a thread that is neither a worker nor a helper.
extern constinit thread_local std::atomic<std::uint64_t>* current_tick;

}  // namespace pingora
