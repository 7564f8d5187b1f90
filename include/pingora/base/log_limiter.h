// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "pingora/base/clock.h"

namespace pingora {

/// Keeps a line that a lasting fault would repeat at the rate of requests to one in each interval.
/// Thread-safe, without a lock.
class LogLimiter {
 public:
  explicit LogLimiter(Duration interval = std::chrono::seconds(1)) noexcept : interval_(interval) {}

  /// Whether the line is to be logged now: then, how many were not since the last one that was.
  std::optional<std::uint64_t> admit(TimePoint now = coarse_now()) noexcept;

  /// For the end of the line: empty for 0, "; 3 more since the last such line" for 3.
  static std::string more(std::uint64_t not_logged);

 private:
  const Duration interval_;
  std::atomic<TimePoint> next_{TimePoint::min()};
  std::atomic<std::uint64_t> not_logged_{0};
};

}  // namespace pingora
