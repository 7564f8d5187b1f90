// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pingora/runtime/frame_allocator.h"
#include "pingora/runtime/runtime.h"
#include "pingora/runtime/timer.h"

namespace pingora::internal {

/// The deadlines of a strand, and its one timer in the worker's wheel. Made with the first
/// deadline; used in the strand only.
class StrandDeadlines : public FrameAllocated, Job {
 public:
  static StrandDeadlines& of(Strand& strand);

  explicit StrandDeadlines(Strand& strand) noexcept : Job(&look), strand_(strand) {}
  void add(Deadline& deadline);
  /// Takes the timer out of the wheel and the strand. Behind it no deadline strikes.
  void end();

 private:
  static void look(Job& job);
  void set_timer(TimePoint time);
  Deadline* first_until(TimePoint now);

  Strand& strand_;
  IntrusiveList<Deadline> deadlines_;
  TimerNode timer_;
  /// When the timer was set to fire, from then until `look` runs; kNever otherwise. Between firing
  /// and `look` the job is in the strand's queue, and the timer must not be set again.
  TimePoint armed_until_ = kNever;
};

}  // namespace pingora::internal
