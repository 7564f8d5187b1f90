// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/timer.h"

namespace pingora {

void DeadlineTimer::arm(Strand& strand, TimePoint deadline) {
  deadline_ = deadline;
  if (deadline == kNever) return;
  if (strand_.get() != &strand) {
    detach();
    deadline_ = deadline;
    strand.retain();
    strand_ = StrandRef(&strand);
  }
  if (deadline < node_.expiry()) strand.worker().add_timer(node_, deadline, strand, *this);
}

void DeadlineTimer::detach() {
  deadline_ = kNever;
  if (!strand_) return;
  strand_->worker().remove_timer(node_);
  strand_->remove(*this);
  strand_ = StrandRef();
}

void DeadlineTimer::look(Job& job) {
  auto& self = static_cast<DeadlineTimer&>(job);
  if (self.deadline_ == kNever) return;
  if (self.deadline_ > Clock::now()) {
    self.strand_->worker().add_timer(self.node_, self.deadline_, *self.strand_, self);
    return;
  }
  self.deadline_ = kNever;
  self.on_expired_(self);
}

namespace internal {

bool SleepOp::start(Completion& completion) {
  if (duration_ <= Duration::zero()) return true;
  completion_ = &completion;
  Strand& strand = completion.strand();
  strand.worker().add_timer(node_, Clock::now() + duration_, strand, completion);
  return false;
}

void SleepOp::cancel() {
  completion_->strand().worker().remove_timer(node_);
  completion_->strand().remove(*completion_);
}

}  // namespace internal

}  // namespace pingora
