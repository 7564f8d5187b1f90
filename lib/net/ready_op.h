// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pingora/runtime/descriptor.h"
#include "pingora/runtime/task.h"
#include "pingora/runtime/timer.h"

namespace pingora {

/// Waits until a descriptor is ready in one direction: true, or false if the deadline came first.
class ReadyOp : MovableJob, Deadline {
 public:
  using ValueType = bool;
  ReadyOp(Descriptor& descriptor, Direction direction, TimePoint deadline) noexcept
      : MovableJob(&on_ready),
        Deadline(&on_expired),
        descriptor_(descriptor),
        direction_(direction),
        deadline_(deadline) {}

  bool start(Completion& completion) {
    completion_ = &completion;
    descriptor_.start_wait(direction_, completion.strand(), *this);
    set(completion.strand(), deadline_);
    return false;
  }
  void cancel() {
    descriptor_.cancel_wait(direction_, completion_->strand(), *this);
    lift();
  }
  Result<bool> take_result() { return is_ready_; }

 private:
  static void on_ready(Job& job) {
    auto& self = static_cast<ReadyOp&>(job);
    self.lift();
    self.is_ready_ = true;
    self.completion_->run();
  }
  static void on_expired(Deadline& deadline) {
    auto& self = static_cast<ReadyOp&>(deadline);
    self.descriptor_.cancel_wait(self.direction_, self.completion_->strand(), self);
    self.completion_->run();
  }

  Descriptor& descriptor_;
  Direction direction_;
  TimePoint deadline_;
  Completion* completion_ = nullptr;
  bool is_ready_ = false;
};

}  // namespace pingora
