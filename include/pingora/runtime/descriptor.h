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
/// the kernel has nothing left before waiting again. That is so behind EAGAIN; and, where
/// `tells_end`, behind a read of less than there was room for, unless `has_ended` says that the end
/// is still to be read. What a wait that is cancelled would have been told, the next one is.
/// Belongs to one strand at a time, or to an IdleWatch.
class Descriptor {
 public:
  /// Takes over `fd`, which must be non-blocking. The system may refuse to watch it: see
  /// `failure`.
  Descriptor(Worker& worker, int fd);
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  /// Closes the descriptor. Nothing is called any more.
  ~Descriptor();

  /// Whether the reactor tells of the end of a stream: `has_ended` is always false without.
  static bool tells_end() noexcept;
  /// Whether nothing follows what is there to read: the peer has closed, or the connection has
  /// failed. What is true stays so; a wait that is over has seen what it was told with.
  bool has_ended() const noexcept;

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
