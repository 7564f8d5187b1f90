// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/timer.h"

#include <algorithm>
#include <utility>

#include "strand_deadlines.h"

namespace pingora {

void Deadline::set(Strand& strand, TimePoint time) {
  lift();
  if (time == kNever) return;
  time_ = time;
  internal::StrandDeadlines::of(strand).add(*this);
}

namespace internal {

StrandDeadlines& StrandDeadlines::of(Strand& strand) {
  if (strand.deadlines_ == nullptr) strand.deadlines_ = new StrandDeadlines(strand);
  return *strand.deadlines_;
}

void StrandDeadlines::add(Deadline& deadline) {
  deadlines_.push_back(deadline);
  if (deadline.time_ < armed_until_) set_timer(deadline.time_);
}

void StrandDeadlines::set_timer(TimePoint time) {
  if (std::exchange(armed_until_, time) == kNever) {
    strand_.worker().add_timer(timer_, time, strand_, *this);
  } else {
    strand_.worker().move_timer(timer_, time);  // or `look` is queued, and sees to it
  }
}

void StrandDeadlines::look(Job& job) {
  auto& self = static_cast<StrandDeadlines&>(job);
  TimePoint now = Clock::now();
  self.armed_until_ = kNever;
  // From the start after each: what is called may set and lift any of them.
  while (Deadline* expired = self.first_until(now)) {
    expired->lift();
    expired->on_expired_(*expired);
  }
  TimePoint next = kNever;
  for (Deadline* each = self.deadlines_.front(); each != nullptr;
       each = self.deadlines_.next(*each)) {
    next = std::min(next, each->time_);
  }
  if (next < self.armed_until_) self.set_timer(next);
}

Deadline* StrandDeadlines::first_until(TimePoint now) {
  Deadline* each = deadlines_.front();
  while (each != nullptr && each->time_ > now) each = deadlines_.next(*each);
  return each;
}

void StrandDeadlines::end() {
  strand_.worker().remove_timer(timer_);
  strand_.remove(*this);
  armed_until_ = kNever;
}

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
