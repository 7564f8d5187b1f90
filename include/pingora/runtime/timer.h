// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pingora/base/clock.h"
#include "pingora/runtime/runtime.h"
#include "pingora/runtime/task.h"

namespace pingora {

/// A deadline that is set and lifted for every operation and hardly ever strikes: setting and
/// lifting it only notes the time. The wheel is touched when it is set to earlier than the wheel
/// would look at it; when the wheel does look, a deadline that has moved is put in again.
///
/// Belongs to the strand that it is armed with, and keeps it alive until `detach`. Detach it before
/// it changes strands, if both may run at the same time; arming it in another one detaches it too.
class DeadlineTimer : Job {
 public:
  using OnExpired = void (*)(DeadlineTimer&);
  /// `on_expired` is called in the strand, with the timer disarmed; derive to give it context.
  explicit DeadlineTimer(OnExpired on_expired) noexcept : Job(&look), on_expired_(on_expired) {}
  DeadlineTimer(const DeadlineTimer&) = delete;
  DeadlineTimer& operator=(const DeadlineTimer&) = delete;
  ~DeadlineTimer() { detach(); }

  /// kNever disarms.
  void arm(Strand& strand, TimePoint deadline);
  void disarm() noexcept { deadline_ = kNever; }
  TimePoint deadline() const noexcept { return deadline_; }
  /// Disarms and leaves the wheel and the strand.
  void detach();

 private:
  static void look(Job& job);

  OnExpired on_expired_;
  StrandRef strand_;
  TimePoint deadline_ = kNever;
  TimerNode node_;
};

namespace internal {

class SleepOp {
 public:
  using ValueType = void;
  explicit SleepOp(Duration duration) noexcept : duration_(duration) {}
  SleepOp(SleepOp&& other) noexcept : duration_(other.duration_) {}
  bool start(Completion& completion);
  void cancel();
  Result<void> take_result() { return {}; }

 private:
  Duration duration_;
  Completion* completion_ = nullptr;
  TimerNode node_;
};

class YieldOp {
 public:
  using ValueType = void;
  bool start(Completion& completion) {
    completion_ = &completion;
    completion.strand().post(completion);
    return false;
  }
  void cancel() { completion_->strand().remove(*completion_); }
  Result<void> take_result() { return {}; }

 private:
  Completion* completion_ = nullptr;
};

}  // namespace internal

/// Waits for `duration`, up to 4 ms longer (TimerWheel::kTick).
inline internal::SleepOp sleep_for(Duration duration) { return internal::SleepOp(duration); }

/// Lets what is queued in the strand run first.
inline internal::YieldOp yield() { return {}; }

}  // namespace pingora
