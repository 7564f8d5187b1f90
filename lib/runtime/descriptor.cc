// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Life of a wait, per direction:
//
//            start_wait                    edge, or the end of the registration
//   at rest ------------> in the reactor ------------------------------------> at rest
//                          |        ^                                            |
//             cancel_wait  v        | start_wait                                 | owner set: its
//             job
//                        in the reactor, no owner ---------------------------> "ready" is kept
//
// Invariants:
//  [op]     a WaitOp in the reactor belongs to the reactor: it is not started again, and the core
//           that holds it is not freed, before it is reported;
//  [owner]  strand, job and watch of a slot are read and written under mutex_; a job is put into a
//           strand under mutex_ too, so that whoever took the owner away under mutex_ and then
//           empties the strand's queue knows that the job comes no more.
#include "pingora/runtime/descriptor.h"

#include <poll.h>

#include <array>
#include <mutex>
#include <utility>

#include "pingora/base/assert.h"
#include "pingora/base/mutex.h"
#include "reactor.h"

namespace pingora {
namespace internal {

class DescriptorCore : public FrameAllocated {
 public:
  DescriptorCore(Worker& worker, int fd) : worker_(worker), reactor_(worker.io_context(), fd) {
    slot(Direction::Read).is_in_reactor = true;
    failure_ = reactor_.open(slot(Direction::Read));
  }

  Worker& worker() const noexcept { return worker_; }
  int fd() const noexcept { return reactor_.fd(); }
  int failure() const noexcept { return failure_; }

  void start_wait(Direction direction, Strand& strand, Job& job);
  void cancel_wait(Direction direction, Strand& strand, Job& job);
  bool start_idle_watch(IdleWatch& watch);
  bool stop_idle_watch();
  int release();
  /// The owner is gone: frees the core now, or when the reactor has reported what is in it.
  void abandon();

 private:
  struct Slot : WaitOp {
    explicit Slot(DescriptorCore& owner) : WaitOp(&on_complete), core(owner) {}
    DescriptorCore& core;
    Strand* strand = nullptr;
    Job* job = nullptr;
    bool is_in_reactor = false;
    bool is_ready = false;  // an edge that nobody was told about
  };

  static void on_complete(WaitOp& op) noexcept;
  void complete(Slot& slot) noexcept;
  bool is_readable() const noexcept;
  Slot& slot(Direction direction) noexcept { return slots_[static_cast<std::size_t>(direction)]; }
  bool is_in_reactor() const noexcept { return slots_[0].is_in_reactor || slots_[1].is_in_reactor; }

  Worker& worker_;
  Reactor reactor_;
  Mutex mutex_;
  std::array<Slot, 2> slots_{Slot(*this), Slot(*this)};
  IdleWatch* idle_watch_ = nullptr;
  int failure_ = 0;  // constant once made
  bool is_abandoned_ = false;
};

void DescriptorCore::on_complete(WaitOp& op) noexcept {
  auto& slot = static_cast<Slot&>(op);
  slot.core.complete(slot);
}

void DescriptorCore::complete(Slot& slot) noexcept {
  Strand* entered = nullptr;
  Job* job = nullptr;
  std::shared_ptr<void> discarded;
  {
    std::unique_lock lock(mutex_);
    slot.is_in_reactor = false;
    if (is_abandoned_) {
      if (is_in_reactor()) return;
      lock.unlock();
      delete this;
      return;
    }
    if (slot.strand != nullptr) {
      job = std::exchange(slot.job, nullptr);
      Strand* strand = std::exchange(slot.strand, nullptr);
      if (strand->enter_or_enqueue(*job)) entered = strand;
    } else if (idle_watch_ == nullptr || &slot != &slots_[0]) {
      slot.is_ready = true;
    } else if (is_readable()) {
      slot.is_ready = true;
      discarded = idle_watch_->on_idle_event();
    } else {
      slot.is_in_reactor = true;
      reactor_.start(Direction::Read, slot);
    }
  }
  if (entered != nullptr) entered->run_entered(*job);
}

void DescriptorCore::start_wait(Direction direction, Strand& strand, Job& job) {
  Slot& slot = this->slot(direction);
  bool start = false;
  {
    std::lock_guard lock(mutex_);
    PINGORA_DEBUG_ASSERT(slot.strand == nullptr);
    if (std::exchange(slot.is_ready, false) || failure_ != 0) {
      strand.post(job);
      return;
    }
    slot.strand = &strand;
    slot.job = &job;
    start = !std::exchange(slot.is_in_reactor, true);
  }
  if (start) reactor_.start(direction, slot);
}

void DescriptorCore::cancel_wait(Direction direction, Strand& strand, Job& job) {
  Slot& slot = this->slot(direction);
  std::lock_guard lock(mutex_);
  slot.strand = nullptr;
  slot.job = nullptr;
  if (strand.remove(job)) slot.is_ready = true;
}

// An edge may be of bytes that were read together with those before them. Whoever waits for them
// tries to read and waits again; an idle connection must not be given up for it.
bool DescriptorCore::is_readable() const noexcept {
  pollfd polled{reactor_.fd(), POLLIN | POLLRDHUP, 0};
  return ::poll(&polled, 1, 0) != 0;
}

bool DescriptorCore::start_idle_watch(IdleWatch& watch) {
  Slot& slot = this->slot(Direction::Read);
  std::lock_guard lock(mutex_);
  if (failure_ != 0 || (slot.is_ready && is_readable())) return false;
  slot.is_ready = false;
  idle_watch_ = &watch;
  if (!std::exchange(slot.is_in_reactor, true)) reactor_.start(Direction::Read, slot);
  return true;
}

bool DescriptorCore::stop_idle_watch() {
  std::lock_guard lock(mutex_);
  idle_watch_ = nullptr;
  return !slot(Direction::Read).is_ready;
}

int DescriptorCore::release() { return reactor_.release(); }

void DescriptorCore::abandon() {
  {
    std::lock_guard lock(mutex_);
    idle_watch_ = nullptr;
    for (Slot& slot : slots_) slot.strand = nullptr;
  }
  reactor_.close();  // has every wait in the reactor reported
  std::unique_lock lock(mutex_);
  is_abandoned_ = true;
  bool is_last = !is_in_reactor();
  lock.unlock();
  if (is_last) delete this;
}

}  // namespace internal

Descriptor::Descriptor(Worker& worker, int fd) : core_(new internal::DescriptorCore(worker, fd)) {}
Descriptor::Descriptor(Descriptor&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}
Descriptor::~Descriptor() {
  if (core_ != nullptr) core_->abandon();
}

int Descriptor::fd() const noexcept { return core_->fd(); }
Worker& Descriptor::worker() const noexcept { return core_->worker(); }
int Descriptor::failure() const noexcept { return core_->failure(); }
void Descriptor::start_wait(Direction direction, Strand& strand, Job& job) {
  core_->start_wait(direction, strand, job);
}
void Descriptor::cancel_wait(Direction direction, Strand& strand, Job& job) {
  core_->cancel_wait(direction, strand, job);
}
bool Descriptor::start_idle_watch(IdleWatch& watch) { return core_->start_idle_watch(watch); }
bool Descriptor::stop_idle_watch() { return core_->stop_idle_watch(); }

int Descriptor::release() { return core_->release(); }

}  // namespace pingora
