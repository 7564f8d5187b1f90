// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/limits/rate.h"

#include <algorithm>

namespace pingora {

Rate::Rate(std::chrono::milliseconds interval, SketchSize size, TimePoint now)
    : interval_(std::max(interval, std::chrono::milliseconds(1))),
      start_(now),
      sketches_{Estimator(size), Estimator(size)} {}

std::uint64_t Rate::advance(TimePoint now) noexcept {
  auto window = now <= start_ ? 0 : static_cast<std::uint64_t>((now - start_) / interval_);
  std::uint64_t begun = begun_.load(std::memory_order_acquire);
  if (window <= begun) return begun;  // also where this thread's clock is behind another's
  if (begun_.compare_exchange_strong(begun, window, std::memory_order_acq_rel)) {
    sketches_[window % 2].reset();
    if (window > begun + 1) sketches_[(window + 1) % 2].reset();
    // A thread that was held up here must not take back what a later window's has published.
    std::uint64_t published = window_.load(std::memory_order_relaxed);
    while (published < window &&
           !window_.compare_exchange_weak(published, window, std::memory_order_release,
                                          std::memory_order_relaxed)) {
    }
  }
  return window;
}

std::int64_t Rate::observe(LimitKey key, std::int64_t n, TimePoint now) noexcept {
  advance(now);
  return sketches_[window_.load(std::memory_order_acquire) % 2].incr(key, n);
}

std::int64_t Rate::count_in(std::uint64_t window, LimitKey key) const noexcept {
  std::uint64_t written = window_.load(std::memory_order_acquire);
  if (window != written && window + 1 != written) return 0;
  return sketches_[window % 2].get(key);
}

double Rate::rate(LimitKey key, TimePoint now) noexcept {
  RateComponents parts = components(key, now);
  return static_cast<double>(parts.previous) / parts.interval.count();
}

RateComponents Rate::components(LimitKey key, TimePoint now) noexcept {
  std::uint64_t window = advance(now);
  RateComponents parts;
  parts.previous = window == 0 ? 0 : count_in(window - 1, key);
  parts.current = count_in(window, key);
  parts.interval = interval_;
  auto begin = start_ + interval_ * static_cast<Duration::rep>(window);
  std::chrono::duration<double> passed = now - begin;
  parts.current_fraction = std::clamp(passed / parts.interval, 0.0, 1.0);
  return parts;
}

}  // namespace pingora
