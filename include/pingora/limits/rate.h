// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "pingora/base/clock.h"
#include "pingora/limits/estimator.h"

namespace pingora {

/// What a rate can be calculated from. Answers to Pingora's `RateComponents`.
struct RateComponents {
  /// Events in the window before the current one, and in the current one so far.
  std::int64_t previous = 0;
  std::int64_t current = 0;
  std::chrono::duration<double> interval{};
  /// How much of the current window has passed: 0 to 1.
  double current_fraction = 0;
};

/// The rate over the last `interval`, which reaches back into the previous window, if events were
/// spread evenly over that one. For `Rate::rate_with`.
inline double proportional_rate(const RateComponents& parts) noexcept {
  return (static_cast<double>(parts.previous) * (1.0 - parts.current_fraction) +
          static_cast<double>(parts.current)) /
         parts.interval.count();
}

/// Events per second by key, in fixed memory: counts in windows of a fixed length, of which the
/// current and the previous one are kept. As of the Estimator, results are never too low, but for
/// events that are observed while a window ends. Answers to Pingora's `Rate`.
///
///     static Rate rate(std::chrono::seconds(1));
///     if (rate.observe(client_address, 1) > 100) co_return co_await too_many_requests(session);
///
/// Any thread may call anything; nothing locks. Neither copies nor moves.
class Rate {
 public:
  /// Windows of `interval`, at least 1 ms, the first of which begins at `now`. Takes 64 KiB with
  /// the default size.
  explicit Rate(std::chrono::milliseconds interval, SketchSize size = {},
                TimePoint now = coarse_now());

  /// Counts `n` events of `key` and returns how many there are in the current window.
  std::int64_t observe(LimitKey key, std::int64_t n = 1, TimePoint now = coarse_now()) noexcept;
  /// Events per second in the previous window, which is complete: 0 in the first one.
  double rate(LimitKey key, TimePoint now = coarse_now()) noexcept;
  /// The rate that `calculate(const RateComponents&)` makes of both windows, such as
  /// `proportional_rate`.
  template <class Calculate>
  auto rate_with(LimitKey key, Calculate&& calculate, TimePoint now = coarse_now()) {
    return calculate(components(key, now));
  }

 private:
  RateComponents components(LimitKey key, TimePoint now) noexcept;
  /// The number of the window at `now`, which is begun if it is not the one that is written to.
  std::uint64_t advance(TimePoint now) noexcept;
  std::int64_t count_in(std::uint64_t window, LimitKey key) const noexcept;

  const Duration interval_;
  const TimePoint start_;
  // Window w is counted in sketches_[w % 2]. `begun_` is the window that some thread clears a
  // sketch for; `window_` is the one that is written to, which follows once that is done.
  std::array<Estimator, 2> sketches_;
  std::atomic<std::uint64_t> begun_{0};
  std::atomic<std::uint64_t> window_{0};
};

}  // namespace pingora
