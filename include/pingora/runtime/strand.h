// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "pingora/base/intrusive_list.h"
#include "pingora/base/mutex.h"
#include "pingora/runtime/frame_allocator.h"

namespace pingora {

class Worker;

namespace internal {
class StrandDeadlines;
}

/// A piece of work for a Strand: `run` is called once, in the strand. Owned by whoever embeds it,
/// who must take it out of the strand's queue (`Strand::remove`) before it dies.
class Job : public ListHook {
 public:
  using Run = void (*)(Job&);
  explicit Job(Run run) noexcept : run_(run) {}
  void run() { run_(*this); }

 protected:
  Run run_function() const noexcept { return run_; }

 private:
  Run run_;
};

/// A Job that may be moved while it is not queued.
class MovableJob : public Job {
 public:
  using Job::Job;
  MovableJob(MovableJob&& other) noexcept : Job(other.run_function()) {}
};

/// Runs jobs one at a time, whichever threads they come from: everything of one connection runs
/// under its strand, because a helper thread may take over any connection of a stuck worker.
///
/// Free, it costs one atomic operation to enter and one to leave. A job that finds it busy queues
/// and is run by the thread that holds the strand, before that thread leaves.
///
/// Reference-counted (`StrandRef`); the thread that runs it holds a reference of its own. All
/// functions may be called from any thread, unless they say otherwise.
class Strand : public internal::FrameAllocated {
 public:
  /// A strand whose posted jobs run on `worker`, which must outlive it. One reference.
  explicit Strand(Worker& worker) noexcept : worker_(&worker) {}
  Strand(const Strand&) = delete;
  Strand& operator=(const Strand&) = delete;
  ~Strand();

  Worker& worker() const noexcept { return *worker_; }

  /// Runs `job` at once on this thread if the strand is free, else queues it.
  void dispatch(Job& job) {
    if (enter_or_enqueue(job)) run_entered(job);
  }
  /// Queues `job`; the worker runs it soon, never before this call returns.
  void post(Job& job) {
    if (enqueue(job)) schedule();
  }

  /// The two halves of `dispatch` and of `post`, for a caller that holds a lock which keeps `job`
  /// alive only until it is queued or the strand is entered: call the first half under the lock,
  /// and, if it returned true, the second behind it.
  [[nodiscard]] bool enter_or_enqueue(Job& job);
  void run_entered(Job& job);
  [[nodiscard]] bool enqueue(Job& job);
  void schedule();

  /// Takes `job` out of the queue; returns whether it was there. Only from within the strand.
  bool remove(Job& job);
  /// Whether the calling thread is inside this strand now.
  bool is_current() const noexcept;
  /// The strand that the calling thread is inside, the innermost; null outside of all.
  static Strand* current() noexcept;

  void retain() noexcept { word_.fetch_add(kReference, std::memory_order_relaxed); }
  void release() noexcept;

  /// Ends the deadlines that were set in this strand. To be called in it by whoever lets go of it
  /// last, if any was set: they do not keep it alive.
  void end_deadlines();

 private:
  friend class Worker;
  friend class internal::StrandDeadlines;
  static constexpr std::uint64_t kRunning = 1;
  static constexpr std::uint64_t kQueued = 2;
  static constexpr std::uint64_t kReference = 4;

  void drain();
  void run_queue_and_leave();

  // References above, two flags below: entering takes a reference in the same atomic operation.
  std::atomic<std::uint64_t> word_{kReference};
  Worker* worker_;
  Mutex mutex_;  // guards queue_
  IntrusiveList<Job> queue_;
  internal::StrandDeadlines* deadlines_ = nullptr;  // owned; made when it is needed
};

/// One reference to a Strand.
class StrandRef {
 public:
  StrandRef() noexcept = default;
  static StrandRef make(Worker& worker) { return StrandRef(new Strand(worker)); }
  explicit StrandRef(Strand* adopted) noexcept : strand_(adopted) {}
  StrandRef(const StrandRef& other) noexcept : strand_(other.strand_) {
    if (strand_ != nullptr) strand_->retain();
  }
  StrandRef(StrandRef&& other) noexcept : strand_(std::exchange(other.strand_, nullptr)) {}
  StrandRef& operator=(StrandRef other) noexcept {
    std::swap(strand_, other.strand_);
    return *this;
  }
  ~StrandRef() {
    if (strand_ != nullptr) strand_->release();
  }
  Strand* get() const noexcept { return strand_; }
  Strand* operator->() const noexcept { return strand_; }
  Strand& operator*() const noexcept { return *strand_; }
  explicit operator bool() const noexcept { return strand_ != nullptr; }

 private:
  Strand* strand_ = nullptr;
};

}  // namespace pingora
