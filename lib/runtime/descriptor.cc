// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Life of a wait, per direction:
//
//            start_wait                         edge
//   at rest ------------> waiting ------------------------------> at rest
//      ^                     |                                       ^
//      |     cancel_wait     |                                       | start_wait: its job at once
//      +---------------------+          edge: "ready" is kept -------+
//
// Invariants:
//  [owner]  strand and job of a slot, and the watch, are read and written under mutex_; a job is
//  put
//           into a strand under mutex_ too, so that whoever took the owner away under mutex_ and
//           then empties the strand's queue knows that the job comes no more.
#include "pingora/runtime/descriptor.h"

#include <poll.h>

#include <array>
#include <atomic>
#include <mutex>
#include <utility>

#include "pingora/base/assert.h"
#include "pingora/base/mutex.h"
#include "reactor.h"

namespace pingora {
namespace internal {

class DescriptorCore final : public Reactor {
 public:
  static DescriptorCore* make(Worker& worker, int fd);
  explicit DescriptorCore(Worker& worker) : Reactor(worker.io_context()), worker_(worker) {}

  Worker& worker() const noexcept { return worker_; }
  int failure() const noexcept { return failure_; }
  bool has_ended() const noexcept { return has_ended_.load(std::memory_order_relaxed); }

  void start_wait(Direction direction, Strand& strand, Job& job);
  void cancel_wait(Direction direction, Strand& strand, Job& job);
  bool start_idle_watch(IdleWatch& watch);
  bool stop_idle_watch();
  /// The owner is gone.
  void abandon();

 private:
  struct Slot {
    Strand* strand = nullptr;  // whoever waits; null: nobody
    Job* job = nullptr;        // with a strand only
    bool is_ready = false;     // an edge that nobody was told about
  };

  void on_edges(Edges edges, std::unique_lock<Mutex>& lock) noexcept override;
  void on_rare_edges(Edges edges, std::unique_lock<Mutex>& lock) noexcept;
  Job* tell(Slot& slot, Strand*& entered);
  bool is_readable() const noexcept;
  Slot& slot(Direction direction) noexcept { return slots_[static_cast<std::size_t>(direction)]; }

  Worker& worker_;
  std::array<Slot, 2> slots_;
  IdleWatch* idle_watch_ = nullptr;
  int failure_ = 0;  // constant while it is open
  std::atomic<bool> has_ended_{false};
};

DescriptorCore* DescriptorCore::make(Worker& worker, int fd) {
  auto* core = static_cast<DescriptorCore*>(Reactor::take_retired(worker.io_context()));
  if (core == nullptr) {
    core = new DescriptorCore(worker);
  } else {
    core->slots_ = {};
    core->has_ended_.store(false, std::memory_order_relaxed);
  }
  core->failure_ = core->open(fd);
  return core;
}

void DescriptorCore::on_edges(Edges edges, std::unique_lock<Mutex>& lock) noexcept {
  Slot& reading = slot(Direction::Read);
  if (!edges.is_readable || edges.is_writable || edges.has_ended || reading.strand == nullptr) {
    return on_rare_edges(edges, lock);
  }
  Job& job = *reading.job;
  Strand& strand = *std::exchange(reading.strand, nullptr);
  bool is_entered = strand.enter_or_enqueue(job);
  lock.unlock();
  if (is_entered) strand.run_entered(job);
}

// All but the usual: bytes for someone who waits for them.
void DescriptorCore::on_rare_edges(Edges edges, std::unique_lock<Mutex>& lock) noexcept {
  Strand* entered = nullptr;
  Job* job = nullptr;
  std::shared_ptr<void> discarded;
  if (edges.has_ended) has_ended_.store(true, std::memory_order_relaxed);
  Slot& reading = slot(Direction::Read);
  if (edges.is_readable && (reading.strand != nullptr || idle_watch_ == nullptr)) {
    job = tell(reading, entered);
  } else if (edges.is_readable && is_readable()) {
    reading.is_ready = true;
    discarded = idle_watch_->on_idle_event();
  } else if (edges.is_readable) {
    request(Direction::Read);
  }
  if (edges.is_writable) {
    Strand* entered_to_write = nullptr;
    Job* writing = tell(slot(Direction::Write), entered_to_write);
    if (entered_to_write != nullptr) {
      PINGORA_DEBUG_ASSERT(entered == nullptr);  // one strand at a time: else this one was queued
      entered = entered_to_write;
      job = writing;
    }
  }
  lock.unlock();
  if (entered != nullptr) entered->run_entered(*job);
}

// Takes the job that waits, to be run in `entered` unless it was queued; or keeps the edge.
Job* DescriptorCore::tell(Slot& slot, Strand*& entered) {
  if (slot.strand == nullptr) {
    slot.is_ready = true;
    return nullptr;
  }
  Strand* strand = std::exchange(slot.strand, nullptr);
  if (strand->enter_or_enqueue(*slot.job)) entered = strand;
  return slot.job;
}

void DescriptorCore::start_wait(Direction direction, Strand& strand, Job& job) {
  Slot& slot = this->slot(direction);
  std::lock_guard lock(mutex_);
  PINGORA_DEBUG_ASSERT(slot.strand == nullptr);
  if (std::exchange(slot.is_ready, false) || failure_ != 0) {
    strand.post(job);
    return;
  }
  slot.strand = &strand;
  slot.job = &job;
  request(direction);
}

void DescriptorCore::cancel_wait(Direction direction, Strand& strand, Job& job) {
  Slot& slot = this->slot(direction);
  std::lock_guard lock(mutex_);
  slot.strand = nullptr;
  if (strand.remove(job)) slot.is_ready = true;
}

// An edge may be of bytes that were read together with those before them. Whoever waits for them
// tries to read and waits again; an idle connection must not be given up for it.
bool DescriptorCore::is_readable() const noexcept {
  pollfd polled{fd(), POLLIN | POLLRDHUP, 0};
  return ::poll(&polled, 1, 0) != 0;
}

bool DescriptorCore::start_idle_watch(IdleWatch& watch) {
  Slot& slot = this->slot(Direction::Read);
  std::lock_guard lock(mutex_);
  if (failure_ != 0 || (slot.is_ready && is_readable())) return false;
  slot.is_ready = false;
  idle_watch_ = &watch;
  request(Direction::Read);
  return true;
}

bool DescriptorCore::stop_idle_watch() {
  std::lock_guard lock(mutex_);
  idle_watch_ = nullptr;
  return !slot(Direction::Read).is_ready;
}

void DescriptorCore::abandon() {
  {
    std::lock_guard lock(mutex_);
    idle_watch_ = nullptr;
    for (Slot& slot : slots_) slot.strand = nullptr;
  }
  close();
  retire();
}

}  // namespace internal

Descriptor::Descriptor(Worker& worker, int fd)
    : core_(internal::DescriptorCore::make(worker, fd)) {}
Descriptor::Descriptor(Descriptor&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}
Descriptor::~Descriptor() {
  if (core_ != nullptr) core_->abandon();
}

bool Descriptor::tells_end() noexcept { return internal::Reactor::kTellsEnd; }
bool Descriptor::has_ended() const noexcept { return core_->has_ended(); }
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
