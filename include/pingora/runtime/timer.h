// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pingora/base/clock.h"
#include "pingora/base/intrusive_list.h"
#include "pingora/runtime/runtime.h"
#include "pingora/runtime/task.h"

namespace pingora {

namespace internal {
class StrandDeadlines;
}

/// A time by which something that waits is to be told. Embedded in whoever waits; lifted when it
/// dies.
///
/// Setting and lifting one is a list operation of its strand: no lock, no system call. A strand has
/// one timer in its worker's wheel, which is moved only when a deadline comes that is earlier than
/// the time it is set to, and put in again when it fires too early. So deadlines that are set for
/// every operation and hardly ever strike cost next to nothing.
///
/// Belongs to the strand that it is set in; moves only while it is not set.
class Deadline : public ListHook {
 public:
  /// Called in the strand, with the deadline lifted; up to TimerWheel::kTick late. It may destroy
  /// anything.
  using OnExpired = void (*)(Deadline&);
  explicit Deadline(OnExpired on_expired) noexcept : on_expired_(on_expired) {}
  Deadline(Deadline&& other) noexcept : on_expired_(other.on_expired_) {}
  ~Deadline() { lift(); }

  /// Replaces an earlier setting. kNever lifts.
  void set(Strand& strand, TimePoint time);
  void lift() noexcept {
    if (is_linked()) unlink();
  }
  bool is_set() const noexcept { return is_linked(); }

 private:
  friend class internal::StrandDeadlines;
  OnExpired on_expired_;
  TimePoint time_ = kNever;
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
