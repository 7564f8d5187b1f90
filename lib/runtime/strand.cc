// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// States of a strand, and what takes it from one to the next:
//
//            dispatch: enter                        enqueue
//   free ------------------------> running ------------------------> running, queued
//    ^  \                            |  ^                                  |
//    |   \ enqueue: enter, schedule  |  |          queue drained           |
//    |    +------------------------> |  +----------------------------------+
//    +-------------------------------+
//                 leave
//
// Invariants:
//  [one]   at most one thread is between entering and leaving;
//  [flag]  kQueued is set exactly while the queue is not empty, when mutex_ is not held;
//  [alive] a thread between entering and leaving holds a reference.
#include "pingora/runtime/strand.h"

#include "pingora/base/assert.h"
#include "pingora/runtime/runtime.h"
#include "strand_deadlines.h"

namespace pingora {
namespace {
constinit thread_local Strand* running_strand = nullptr;
}  // namespace

bool Strand::is_current() const noexcept { return running_strand == this; }
Strand* Strand::current() noexcept { return running_strand; }

Strand::~Strand() { delete deadlines_; }

void Strand::end_deadlines() {
  if (deadlines_ != nullptr) deadlines_->end();
}

bool Strand::enter_or_enqueue(Job& job) {
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  while ((word & kRunning) == 0) {
    if (word_.compare_exchange_weak(word, (word | kRunning) + kReference, std::memory_order_acquire,
                                    std::memory_order_relaxed)) {
      return true;
    }
  }
  // Busy when we looked. It may become free before the job is queued: then it is entered here all
  // the same, and the queue is run by whoever called.
  std::lock_guard lock(mutex_);
  for (;;) {
    if ((word & kRunning) == 0) {
      if (word_.compare_exchange_weak(word, (word | kRunning) + kReference,
                                      std::memory_order_acquire, std::memory_order_relaxed)) {
        return true;
      }
    } else if (word_.compare_exchange_weak(word, word | kQueued, std::memory_order_release,
                                           std::memory_order_relaxed)) {
      queue_.push_back(job);
      return false;
    }
  }
}

void Strand::run_entered(Job& job) {
  HandlerScope scope;
  Strand* outer = std::exchange(running_strand, this);
  job.run();
  run_queue_and_leave();
  running_strand = outer;
}

bool Strand::enqueue(Job& job) {
  std::lock_guard lock(mutex_);
  queue_.push_back(job);
  std::uint64_t word = word_.load(std::memory_order_relaxed);
  for (;;) {
    std::uint64_t entered =
        (word & kRunning) != 0 ? word | kQueued : (word | kQueued | kRunning) + kReference;
    if (word_.compare_exchange_weak(word, entered, std::memory_order_acq_rel,
                                    std::memory_order_relaxed)) {
      return (word & kRunning) == 0;
    }
  }
}

void Strand::schedule() { worker_->post_drain(*this); }

void Strand::drain() {
  HandlerScope scope;
  Strand* outer = std::exchange(running_strand, this);
  run_queue_and_leave();
  running_strand = outer;
}

void Strand::run_queue_and_leave() {
  std::uint64_t word = word_.load(std::memory_order_acquire);
  for (;;) {
    if ((word & kQueued) == 0) {
      PINGORA_DEBUG_ASSERT((word & kRunning) != 0);
      if (!word_.compare_exchange_weak(word, (word & ~kRunning) - kReference,
                                       std::memory_order_acq_rel, std::memory_order_acquire)) {
        continue;
      }
      if (word - kReference < kReference) delete this;
      return;
    }
    Job* job = nullptr;
    {
      std::lock_guard lock(mutex_);
      job = queue_.pop_front();
      if (queue_.empty()) word_.fetch_and(~kQueued, std::memory_order_acq_rel);
    }
    if (job != nullptr) job->run();
    word = word_.load(std::memory_order_acquire);
  }
}

bool Strand::remove(Job& job) {
  // Only a set flag can mean that the job is queued; what another thread queues from now on, its
  // owner has already taken away from that thread.
  if ((word_.load(std::memory_order_acquire) & kQueued) == 0) return false;
  std::lock_guard lock(mutex_);
  if (!job.is_linked()) return false;
  job.unlink();
  if (queue_.empty()) word_.fetch_and(~kQueued, std::memory_order_acq_rel);
  return true;
}

void Strand::release() noexcept {
  std::uint64_t before = word_.fetch_sub(kReference, std::memory_order_acq_rel);
  if (before - kReference < kReference) delete this;
}

}  // namespace pingora
