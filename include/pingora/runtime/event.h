// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>

#include "pingora/base/intrusive_list.h"
#include "pingora/runtime/task.h"

namespace pingora {

namespace internal {

/// A place in a queue of waiting coroutines. Moves only while it is in none.
struct WaitNode : ListHook {
  WaitNode() noexcept = default;
  WaitNode(WaitNode&& other) noexcept : completion(other.completion) {}
  Completion* completion = nullptr;
};

}  // namespace internal

/// A flag that coroutines wait for. Once set it stays set, until `reset`.
///
/// All functions may be called from any thread. The event outlives its waiters and every call.
class Event {
 public:
  class WaitOp;

  void set();
  void reset();
  bool is_set() const noexcept { return is_set_.load(std::memory_order_acquire); }
  /// Waits until the event is set. Cancelling leaves no trace.
  WaitOp wait() noexcept;

 private:
  std::mutex mutex_;  // guards waiting_, and is_set_ against waits that begin
  std::atomic<bool> is_set_{false};
  IntrusiveList<internal::WaitNode> waiting_;
};

class Event::WaitOp {
 public:
  using ValueType = void;
  explicit WaitOp(Event& event) noexcept : event_(event) {}
  bool start(Completion& completion);
  void cancel();
  Result<void> take_result() { return {}; }

 private:
  Event& event_;
  internal::WaitNode node_;
};

inline Event::WaitOp Event::wait() noexcept { return WaitOp(*this); }

}  // namespace pingora
