// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "pingora/base/clock.h"

namespace pingora::internal {

/// The deadline `timeout` from now; none if that is 0.
inline TimePoint deadline_in(std::chrono::milliseconds timeout) noexcept {
  return timeout.count() <= 0 ? kNever : coarse_now() + timeout;
}

}  // namespace pingora::internal
