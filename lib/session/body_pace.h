// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "pingora/base/clock.h"
#include "pingora/session/server_session_options.h"

namespace pingora::internal {

/// How fast the body of a request comes. Only the time that was spent waiting for it counts: that
/// in which nobody wanted to read is not the client's.
class BodyPace {
 public:
  void add_wait(Duration waited) noexcept { waited_ += waited; }
  /// How much longer the client, of which `bytes` came, may make us wait; `Duration::max()`: as
  /// long as it likes.
  Duration left(const ServerSessionOptions& options, std::uint64_t bytes) const noexcept {
    if (options.body_rate_min == 0) return Duration::max();
    auto earned = std::chrono::seconds(bytes / options.body_rate_min);
    return options.body_rate_grace + earned - waited_;
  }

 private:
  Duration waited_{0};
};

}  // namespace pingora::internal
