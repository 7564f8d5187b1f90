// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "pingora/limits/limit_key.h"

namespace pingora {

/// The size of a count-min sketch: `hashes` rows of `slots` counters of 8 bytes. With n counted
/// events, an estimate is too high by more than 2.7 n / `slots` with a probability of e^-`hashes`.
struct SketchSize {
  std::size_t hashes = 4;
  std::size_t slots = 1024;
};

/// Counts events by key in fixed memory: a count-min sketch (Cormode and Muthukrishnan 2005), whose
/// estimates are never too low, and too high only for keys that share a slot in every row with
/// others. Answers to Pingora's `Estimator`.
///
/// Any thread may call anything; nothing locks. Neither copies nor moves.
class Estimator {
 public:
  /// Both dimensions are at least one.
  explicit Estimator(SketchSize size = {});

  /// Adds `n` to the count of `key` and returns the estimate that follows.
  std::int64_t incr(LimitKey key, std::int64_t n = 1) noexcept;
  /// Takes `n` off that was added before.
  void decr(LimitKey key, std::int64_t n = 1) noexcept { incr(key, -n); }
  std::int64_t get(LimitKey key) const noexcept;
  /// Sets all counts to zero. What is added at the same time may be lost or stay.
  void reset() noexcept;

 private:
  std::atomic<std::int64_t>& slot(std::size_t row, LimitKey key) const noexcept;

  SketchSize size_;
  std::uint64_t seed_;
  std::unique_ptr<std::atomic<std::int64_t>[]> slots_;
};

}  // namespace pingora
