// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "pingora/metrics/counter.h"

namespace pingora {

/// How the buckets of all histograms divide the non-negative integers: each power of two is cut
/// into eight equal ranges, so that a bucket is at most an eighth of its lower bound wide.
struct HistogramBuckets {
  static constexpr unsigned kSubBits = 3;
  static constexpr std::size_t kSubCount = std::size_t{1} << kSubBits;
  static constexpr std::size_t kCount = kSubCount + (64 - kSubBits) * kSubCount;

  /// The bucket that `value` is counted in. Zero is counted with one.
  static constexpr std::size_t index_of(std::uint64_t value) noexcept {
    std::uint64_t v = value == 0 ? 0 : value - 1;
    if (v < kSubCount) return static_cast<std::size_t>(v);
    auto log2 = static_cast<unsigned>(std::bit_width(v)) - 1;
    unsigned shift = log2 - kSubBits;
    return ((shift + 1) << kSubBits) + static_cast<std::size_t>((v >> shift) - kSubCount);
  }
  /// The largest value counted in bucket `index`. That of every eighth bucket is a power of two.
  static constexpr std::uint64_t upper_bound(std::size_t index) noexcept {
    std::uint64_t next = index + 1;
    if (next <= kSubCount) return next;
    if (next == kCount) return UINT64_MAX;
    std::uint64_t octave = next >> kSubBits;
    return (kSubCount + (next & (kSubCount - 1))) << (octave - 1);
  }
};

/// What a Histogram held at one moment.
struct HistogramSnapshot {
  std::array<std::uint64_t, HistogramBuckets::kCount> buckets{};
  std::uint64_t count = 0;
  std::uint64_t sum = 0;

  /// A value that at least the share `q` (0 to 1) of the values do not exceed: the upper bound of
  /// the bucket that holds the quantile, at most 12.5 % above it. 0 when nothing was recorded.
  std::uint64_t quantile(double q) const noexcept;
  /// How many values are at most `bound`; exact when `bound` is a power of two.
  std::uint64_t count_up_to(std::uint64_t bound) const noexcept;
  double mean() const noexcept {
    return count == 0 ? 0.0 : static_cast<double>(sum) / static_cast<double>(count);
  }
};

/// The distribution of non-negative integers, such as durations in microseconds or sizes in bytes,
/// over the whole range of 64 bits. Recording is two relaxed atomic additions and takes no lock.
/// Takes 5 KiB.
///
/// Any thread may call anything. Neither copies nor moves.
class Histogram {
 public:
  Histogram() noexcept = default;
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  void record(std::uint64_t value) noexcept {
    buckets_[HistogramBuckets::index_of(value)].fetch_add(1, std::memory_order_relaxed);
    sum_.add(value);
  }
  /// What is recorded now. `count` is the sum of the buckets; `sum` may be ahead or behind by the
  /// values that are being recorded at the same time.
  HistogramSnapshot snapshot() const noexcept;
  /// As `snapshot().quantile(q)`.
  std::uint64_t quantile(double q) const noexcept { return snapshot().quantile(q); }

 private:
  std::array<std::atomic<std::uint64_t>, HistogramBuckets::kCount> buckets_{};
  Counter sum_;
};

}  // namespace pingora
