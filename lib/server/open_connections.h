// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

#include "pingora/runtime/event.h"
#include "pingora/runtime/task.h"

namespace pingora::internal {

/// Counts connections against a limit. Any thread; outlives its tokens.
class OpenConnections {
 public:
  /// One connection, as long as it lives.
  class Token {
   public:
    explicit Token(OpenConnections& counted) noexcept : counted_(&counted) {
      counted.count_.fetch_add(1);
    }
    Token(Token&& other) noexcept : counted_(std::exchange(other.counted_, nullptr)) {}
    Token& operator=(Token&&) = delete;
    ~Token() {
      if (counted_ == nullptr) return;
      if (counted_->count_.fetch_sub(1) == counted_->max_) counted_->has_room_.set();
    }

   private:
    OpenConnections* counted_;
  };

  /// `max` 0: no limit.
  explicit OpenConnections(std::size_t max) noexcept : max_(max) {}
  std::size_t count() const noexcept { return count_.load(); }
  bool is_full() const noexcept { return max_ != 0 && count_.load() >= max_; }

  /// Waits until it is not full. For one coroutine at a time.
  //
  // Whoever ends a connection at the limit sets the event. Resetting it comes before looking, so
  // that the one that falls between looking and waiting is not missed.
  Task<> wait_for_room() {
    for (;;) {
      has_room_.reset();
      if (!is_full()) co_return;
      co_await has_room_.wait();
    }
  }

 private:
  const std::size_t max_;
  std::atomic<std::size_t> count_{0};
  Event has_room_;  // set when the count falls below the limit
};

}  // namespace pingora::internal
