// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <ctime>

namespace pingora {

/// Monotonic time. All deadlines are of this type.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

/// "No deadline".
inline constexpr TimePoint kNever = TimePoint::max();

/// Monotonic time with the resolution of the kernel's tick (1 to 4 ms), at the price of a memory
/// read. Good for deadlines; use `Clock::now()` to measure.
inline TimePoint coarse_now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return TimePoint(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

}  // namespace pingora
