// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "pingora/base/clock.h"
#include "pingora/h2/engine_options.h"

namespace pingora::h2 {

/// What is left of a Budget: a bucket of tokens that fills up with time.
class BudgetLeft {
 public:
  BudgetLeft(const Budget& budget, TimePoint now) noexcept
      : budget_(&budget), tokens_(budget.burst), filled_(now) {}

  /// Takes one. False if there is none.
  [[nodiscard]] bool take(TimePoint now) noexcept {
    if (now > filled_) fill(now);
    if (tokens_ == 0) return false;
    --tokens_;
    return true;
  }
  /// Gives some back for something useful that the peer did.
  void give_back(std::uint32_t tokens) noexcept {
    tokens_ = std::min<std::uint64_t>(budget_->burst, tokens_ + tokens);
  }

 private:
  void fill(TimePoint now) noexcept {
    using Seconds = std::chrono::duration<double>;
    double passed = std::chrono::duration_cast<Seconds>(now - filled_).count();
    auto earned = static_cast<std::uint64_t>(
        std::min(passed * budget_->per_second, static_cast<double>(budget_->burst)));
    // Less than one token: the time goes on counting, unless the bucket is full anyway.
    if (earned == 0 && tokens_ != budget_->burst) return;
    give_back(static_cast<std::uint32_t>(earned));
    filled_ = now;
  }

  const Budget* budget_;
  std::uint64_t tokens_;
  TimePoint filled_;
};

}  // namespace pingora::h2
