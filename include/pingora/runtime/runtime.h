// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "pingora/base/mutex.h"
#include "pingora/runtime/strand.h"
#include "pingora/runtime/timer_wheel.h"

namespace pingora {

class BlockingPool;
class Monitor;
class Runtime;
class ThreadActivity;

struct RuntimeOptions {
  /// Worker threads. 0: as many as the process may use cores.
  std::size_t threads = 0;
  /// Whether a monitor thread lets a helper run the other connections of a worker that is stuck in
  /// one handler.
  bool work_stealing = true;
  /// How often the monitor looks while anything is busy. A connection waits once to twice as long
  /// behind a stuck handler. A look costs a wake-up, which in a virtual machine can be 12 us: 1 ms
  /// is then 1.2 % of a core.
  std::chrono::microseconds monitor_period{1500};
  /// Threads of the pool behind `offload`, started when they are needed.
  std::size_t blocking_threads_max = 64;
  /// The first part of the threads' names, as `ps -L` shows them.
  std::string name = "pingora";
};

/// A thread with an io_context, timers and connections of its own.
///
/// While it is stuck in a handler, a helper thread may run its io_context: nothing that belongs to
/// it may rely on its thread. All functions may be called from any thread.
class Worker {
 public:
  Worker(Runtime& runtime, std::size_t index);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  Runtime& runtime() const noexcept { return runtime_; }
  std::size_t index() const noexcept { return index_; }
  asio::io_context& io_context() noexcept { return io_context_; }

  /// Puts `node` into the worker's wheel and sees to it that the wheel is advanced in time.
  void add_timer(TimerNode& node, TimePoint expiry, Strand& strand, Job& job);
  /// Moves a node that is in the wheel; see TimerWheel::move.
  void move_timer(TimerNode& node, TimePoint expiry);
  void remove_timer(TimerNode& node) { wheel_.remove(node); }

  /// Connections placed here, for the choice of the least loaded worker.
  std::uint32_t load() const noexcept { return load_.load(std::memory_order_relaxed); }
  void add_load() noexcept { load_.fetch_add(1, std::memory_order_relaxed); }
  void remove_load() noexcept { load_.fetch_sub(1, std::memory_order_relaxed); }

  /// Runs the queue of a strand that was entered by `Strand::enqueue`.
  void post_drain(Strand& strand);

 private:
  friend class Runtime;
  friend class Monitor;
  void run();
  void arm_wheel_timer();

  Runtime& runtime_;
  const std::size_t index_;
  const std::unique_ptr<ThreadActivity> activity_;  // of the thread that runs it
  asio::io_context io_context_;
  TimerWheel wheel_;
  Mutex wheel_timer_mutex_;  // guards the two below
  asio::steady_timer wheel_timer_;
  TimePoint wheel_timer_expiry_ = kNever;
  alignas(64) std::atomic<std::uint32_t> load_{0};
  alignas(64) std::atomic<std::uint64_t> tick_{0};
};

/// The threads that everything runs on.
///
/// Construct, `start`, use, `stop`. Everything spawned must have ended (see TaskGroup) before
/// `stop`; destroying a running Runtime stops it.
class Runtime {
 public:
  explicit Runtime(RuntimeOptions options = {});
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  void start();
  /// Ends the threads once their current handlers return. Idempotent.
  void stop();

  const RuntimeOptions& options() const noexcept { return options_; }
  std::size_t worker_count() const noexcept { return workers_.size(); }
  Worker& worker(std::size_t index) noexcept { return *workers_[index]; }
  /// The worker with the fewest connections; among equals, the next in turn.
  Worker& least_loaded_worker() noexcept;
  BlockingPool& blocking_pool() noexcept { return *blocking_pool_; }
  /// How often the monitor sent a helper to a stuck worker.
  std::uint64_t helped_count() const noexcept;

  /// Cores that this process may use (its affinity mask), at least 1.
  static std::size_t usable_cores() noexcept;

 private:
  friend class Monitor;
  RuntimeOptions options_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  std::unique_ptr<Monitor> monitor_;
  std::unique_ptr<BlockingPool> blocking_pool_;
  std::atomic<std::size_t> next_worker_{0};
  bool is_running_ = false;
};

/// Marks the calling thread as inside a handler while it lives: the monitor takes a mark that does
/// not change for a period for a stuck handler. Nests.
class HandlerScope {
 public:
  HandlerScope() noexcept;
  ~HandlerScope();
  HandlerScope(const HandlerScope&) = delete;
  HandlerScope& operator=(const HandlerScope&) = delete;

 private:
  std::uint64_t step_ = 0;  // 1 for the outermost of a thread, 2 for those inside: odd stays odd
};

}  // namespace pingora
