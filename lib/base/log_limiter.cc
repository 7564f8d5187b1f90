// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/log_limiter.h"

#include <fmt/format.h>

namespace pingora {

std::optional<std::uint64_t> LogLimiter::admit(TimePoint now) noexcept {
  TimePoint next = next_.load(std::memory_order_relaxed);
  if (now < next || !next_.compare_exchange_strong(next, now + interval_)) {
    not_logged_.fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
  }
  return not_logged_.exchange(0, std::memory_order_relaxed);
}

std::string LogLimiter::more(std::uint64_t not_logged) {
  if (not_logged == 0) return {};
  return fmt::format("; {} more since the last such line", not_logged);
}

}  // namespace pingora
