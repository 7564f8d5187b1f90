// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "pingora/runtime/runtime.h"
#include "pingora/runtime/strand.h"

namespace pingora {

namespace internal {
class DescriptorCore;
}

enum class Direction : std::uint8_t { Read, Write };

/// Told when something happens on a descriptor that nobody waits for: a pooled connection that its
/// peer closes, or sends to.
class IdleWatch {
 public:
  /// Called once, on a worker or helper thread, outside any strand. What it returns is destroyed as
  /// soon as that is safe; it may own the descriptor that the event is about.
  virtual std::shared_ptr<void> on_idle_event() noexcept = 0;

 protected:
  ~IdleWatch() = default;
};

/// A file descriptor in a worker's reactor, and the only thing that waits for one.
///
/// Waiting costs no system call. It is edge-triggered: after a wait for reading is over, read until
/// the kernel has nothing left (a short read that TCP_INQ confirms, or EAGAIN) before waiting
/// again. A wait that is cancelled stays in the reactor; what it would have reported is reported to
/// the next. Belongs to one strand at a time, or to an IdleWatch.
class Descriptor {
 public:
  /// Takes over `fd`, which must be non-blocking. The system may refuse to watch it: see
  /// `failure`.
  Descriptor(Worker& worker, int fd);
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  /// Closes the descriptor. Nothing is called any more.
  ~Descriptor();

  int fd() const noexcept;
  Worker& worker() const noexcept;
  /// Why the system does not watch the descriptor (it is out of watches, or of memory), an errno; 0
  /// if it does. Where it does not, nobody would ever be told anything: a wait is over at once, and
  /// whoever then finds that nothing has happened has this as the error.
  int failure() const noexcept;

  /// Calls `job` in `strand`, once, when `direction` is ready (or has failed: the next system call
  /// says how), never before this returns. At most one wait per direction at a time.
  void start_wait(Direction direction, Strand& strand, Job& job);
  /// Ends the wait of `job` in `strand`: the job is not called any more. Only in that strand, and
  /// only if the job has not been called. The next wait is told what this one would have been.
  void cancel_wait(Direction direction, Strand& strand, Job& job);

  /// Watches for reading without a strand. Returns false if an event is there already; then nothing
  /// is watched, and the connection is to be closed.
  [[nodiscard]] bool start_idle_watch(IdleWatch& watch);
  /// Ends the watch. Returns false if there was an event (which `on_idle_event` is being told, or
  /// was told, about). Behind it, the descriptor may be waited for again.
  [[nodiscard]] bool stop_idle_watch();

  /// Takes the file descriptor out, to be put into another worker. Only `~Descriptor` may follow.
  int release();

 private:
  internal::DescriptorCore* core_;
};

}  // namespace pingora
