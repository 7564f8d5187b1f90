// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "pingora/runtime/descriptor.h"
#include "pingora/runtime/task.h"
#include "pingora/runtime/timer.h"

namespace pingora {

/// Waits until a descriptor is ready in one direction: true, or false if the deadline came first.
class ReadyOp : MovableJob {
 public:
  using ValueType = bool;
  ReadyOp(Descriptor& descriptor, Direction direction, TimePoint deadline) noexcept
      : MovableJob(&on_ready),
        descriptor_(descriptor),
        direction_(direction),
        deadline_(deadline) {}

  bool start(Completion& completion) {
    completion_ = &completion;
    descriptor_.start_wait(direction_, completion.strand(), *this);
    if (deadline_ != kNever) {
      timer_.emplace(*this);
      timer_->arm(completion.strand(), deadline_);
    }
    return false;
  }
  void cancel() {
    descriptor_.cancel_wait(direction_, completion_->strand(), *this);
    timer_.reset();
  }
  Result<bool> take_result() { return is_ready_; }

 private:
  // Made only once the operation has started, and moves no more.
  struct Timer : DeadlineTimer {
    explicit Timer(ReadyOp& owner) noexcept
        : DeadlineTimer([](DeadlineTimer& timer) { static_cast<Timer&>(timer).op.on_expired(); }),
          op(owner) {}
    ReadyOp& op;
  };
  class TimerSlot : public std::optional<Timer> {
   public:
    TimerSlot() noexcept = default;
    TimerSlot(TimerSlot&& /*not started*/) noexcept {}
  };

  static void on_ready(Job& job) {
    auto& self = static_cast<ReadyOp&>(job);
    self.timer_.reset();
    self.is_ready_ = true;
    self.completion_->run();
  }
  void on_expired() {
    descriptor_.cancel_wait(direction_, completion_->strand(), *this);
    completion_->run();
  }

  Descriptor& descriptor_;
  Direction direction_;
  TimePoint deadline_;
  TimerSlot timer_;
  Completion* completion_ = nullptr;
  bool is_ready_ = false;
};

}  // namespace pingora
