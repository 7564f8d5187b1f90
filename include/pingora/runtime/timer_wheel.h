// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "pingora/base/clock.h"
#include "pingora/base/intrusive_list.h"
#include "pingora/base/mutex.h"
#include "pingora/runtime/strand.h"

namespace pingora {

/// An entry of a TimerWheel: a job that is put into its strand at some time. Embedded in whoever
/// waits, who must take it out (`TimerWheel::remove`) before it dies.
class TimerNode : public ListHook {
 public:
  TimerNode() noexcept = default;
  /// When it fires; kNever while it is in no wheel. Exact unless it fires at this moment.
  TimePoint expiry() const noexcept {
    return TimePoint(Duration(expiry_.load(std::memory_order_relaxed)));
  }

 private:
  friend class TimerWheel;
  Strand* strand_ = nullptr;
  Job* job_ = nullptr;
  std::uint64_t tick_ = 0;
  std::atomic<TimePoint::rep> expiry_{kNever.time_since_epoch().count()};  // read without the lock
};

/// Timers of one worker: four wheels of 64 slots, of 4 ms, 256 ms, 16 s and 17 min each. Inserting
/// and removing is a list operation under an uncontended lock; there is no system call and no
/// allocation. A timer fires up to one slot of the first wheel (4 ms) late, never early.
///
/// It has no clock: whoever drives it calls `advance` with the time (a test: with any time).
/// Deadlines beyond 18 hours are cut to that. All functions may be called from any thread.
class TimerWheel {
 public:
  static constexpr Duration kTick = std::chrono::milliseconds(4);

  explicit TimerWheel(TimePoint start) noexcept : start_(start) {}

  /// Puts `node` in, to enqueue `job` in `strand` at `expiry`; moves it if it is in already.
  /// Returns true if the wheel now has to be advanced earlier than `next_advance` said before.
  bool insert(TimerNode& node, TimePoint expiry, Strand& strand, Job& job);
  /// Sets a node that is in to fire at `expiry` instead; one that has fired is left alone. Returns
  /// as `insert` does.
  bool move(TimerNode& node, TimePoint expiry);
  /// Takes `node` out if it is in. Behind it the job is not enqueued any more; the caller, in the
  /// job's strand, removes it from the strand if it is queued there.
  void remove(TimerNode& node);
  /// Enqueues the jobs of all nodes that expired up to `now`.
  void advance(TimePoint now);
  /// When `advance` has something to do next; kNever if there are no nodes.
  TimePoint next_advance() const;

 private:
  static constexpr int kLevels = 4;
  static constexpr int kSlotBits = 6;
  static constexpr std::uint64_t kSlots = 1U << kSlotBits;

  struct Level {
    std::uint64_t occupied = 0;  // a bit for each slot that has (or had) nodes
    std::array<IntrusiveList<TimerNode>, kSlots> slots;
  };

  bool set(TimerNode& node, TimePoint expiry);
  void place(TimerNode& node);
  void cascade(int level);
  std::uint64_t next_tick() const;
  void fire_current_slot();

  const TimePoint start_;
  mutable Mutex mutex_;
  std::uint64_t now_ = 0;  // ticks since start_
  std::uint64_t next_ = ~std::uint64_t{0};
  std::array<Level, kLevels> levels_;
};

}  // namespace pingora
