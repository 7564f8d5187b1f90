// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pingora {

namespace internal {

/// What is written by different threads is kept this far apart.
inline constexpr std::size_t kCacheLine = 64;
/// How many cells a sharded value has.
inline constexpr std::size_t kMetricShards = 16;

/// Which cell the calling thread writes to: threads get them in turn, so that up to
/// `kMetricShards` threads never write to the same one.
std::size_t assign_metric_shard() noexcept;

inline std::size_t metric_shard() noexcept {
  static constinit thread_local std::size_t shard_plus_one = 0;
  if (__builtin_expect(shard_plus_one == 0, 0)) shard_plus_one = assign_metric_shard() + 1;
  return shard_plus_one - 1;
}

}  // namespace internal

/// A number that only goes up. Adding is one relaxed atomic addition on a cache line that other
/// threads rarely write to; reading adds the shards up. Takes 1 KiB.
///
/// Any thread may call anything. Neither copies nor moves.
class Counter {
 public:
  Counter() noexcept = default;
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  void add(std::uint64_t n = 1) noexcept {
    cells_[internal::metric_shard()].value.fetch_add(n, std::memory_order_relaxed);
  }
  /// What was added so far. Additions that run at the same time may be in it or not; never goes
  /// down from one call to a later one on the same thread.
  std::uint64_t value() const noexcept {
    std::uint64_t sum = 0;
    for (const Cell& cell : cells_) sum += cell.value.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  struct alignas(internal::kCacheLine) Cell {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Cell, internal::kMetricShards> cells_;
};

/// A number that goes up and down, such as open connections. One relaxed atomic on a cache line of
/// its own.
///
/// Any thread may call anything. Neither copies nor moves.
class Gauge {
 public:
  Gauge() noexcept = default;
  Gauge(const Gauge&) = delete;
  Gauge& operator=(const Gauge&) = delete;

  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  void sub(std::int64_t n = 1) noexcept { value_.fetch_sub(n, std::memory_order_relaxed); }
  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  alignas(internal::kCacheLine) std::atomic<std::int64_t> value_{0};
};

}  // namespace pingora
