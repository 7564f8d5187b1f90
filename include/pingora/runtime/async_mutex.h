// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <utility>

#include "pingora/runtime/event.h"

namespace pingora {

/// Mutual exclusion between coroutines, also of different strands; may be held across `co_await`.
/// First come, first served. Any thread. Outlives its guards and waiters.
class AsyncMutex {
 public:
  class LockOp;

  /// Holds the mutex until it dies.
  class [[nodiscard]] Guard {
   public:
    Guard(Guard&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
    Guard& operator=(Guard&& other) noexcept {
      std::swap(mutex_, other.mutex_);
      return *this;
    }
    ~Guard() {
      if (mutex_ != nullptr) mutex_->unlock();
    }

   private:
    friend class AsyncMutex;
    explicit Guard(AsyncMutex& mutex) noexcept : mutex_(&mutex) {}
    AsyncMutex* mutex_;
  };

  /// `auto guard = co_await mutex.lock();` Cancelling leaves the queue.
  LockOp lock() noexcept;

 private:
  friend class Guard;
  void unlock();

  std::mutex mutex_;  // guards the two below
  bool is_locked_ = false;
  IntrusiveList<internal::WaitNode> waiting_;
};

class AsyncMutex::LockOp {
 public:
  using ValueType = Guard;
  explicit LockOp(AsyncMutex& mutex) noexcept : mutex_(mutex) {}
  bool start(Completion& completion);
  void cancel();
  Result<Guard> take_result() { return Guard(mutex_); }

 private:
  AsyncMutex& mutex_;
  internal::WaitNode node_;
};

inline AsyncMutex::LockOp AsyncMutex::lock() noexcept { return LockOp(*this); }

}  // namespace pingora
