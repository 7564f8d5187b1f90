// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "pingora/base/clock.h"

namespace pingora::internal {

/// How many exchanges a connection carries at the moment, and may carry: a slot is taken before a
/// stream is opened and given back behind its end. Any thread; without a lock.
class StreamSlots {
 public:
  explicit StreamSlots(std::uint32_t limit) noexcept : limit_(limit), idle_since_(now()) {}
  StreamSlots(const StreamSlots&) = delete;
  StreamSlots& operator=(const StreamSlots&) = delete;

  /// Takes a slot; false if all are taken or none is given any more.
  bool try_take() noexcept {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    do {
      if (word >= limit_.load(std::memory_order_relaxed)) return false;  // also if it is closed
    } while (!word_.compare_exchange_weak(word, word + 1, std::memory_order_acquire,
                                          std::memory_order_relaxed));
    return true;
  }
  /// Returns whether it was the last, and none is given any more.
  bool give_back() noexcept {
    idle_since_.store(now(), std::memory_order_relaxed);
    return word_.fetch_sub(1, std::memory_order_acq_rel) == kClosed + 1;
  }
  /// What is taken beyond a lower limit stays taken.
  void set_limit(std::uint32_t limit) noexcept { limit_.store(limit, std::memory_order_relaxed); }
  std::uint32_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }
  std::uint32_t taken() const noexcept {
    return static_cast<std::uint32_t>(word_.load(std::memory_order_relaxed));
  }

  /// Gives none any more. Returns whether it did until now.
  bool close() noexcept {
    return (word_.fetch_or(kClosed, std::memory_order_acq_rel) & kClosed) == 0;
  }
  /// The same, if none is taken and none was since `time`.
  bool close_if_idle_since(TimePoint time) noexcept {
    if (idle_since() > time) return false;
    std::uint64_t idle = 0;
    return word_.compare_exchange_strong(idle, kClosed, std::memory_order_acq_rel);
  }
  bool is_closed() const noexcept { return (word_.load(std::memory_order_acquire) & kClosed) != 0; }
  bool is_idle() const noexcept { return word_.load(std::memory_order_relaxed) == 0; }
  /// When the last slot was given back; in the resolution of `coarse_now`.
  TimePoint idle_since() const noexcept {
    return TimePoint(Duration(idle_since_.load(std::memory_order_relaxed)));
  }

 private:
  static constexpr std::uint64_t kClosed = std::uint64_t{1} << 32;  // beyond every limit
  static Duration::rep now() noexcept { return coarse_now().time_since_epoch().count(); }

  std::atomic<std::uint64_t> word_{0};  // slots taken, and kClosed
  std::atomic<std::uint32_t> limit_;
  std::atomic<Duration::rep> idle_since_;
};

}  // namespace pingora::internal
