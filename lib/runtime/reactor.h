// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <asio/version.hpp>
#include <cstdint>
#include <mutex>

#include "pingora/base/mutex.h"
#include "pingora/runtime/descriptor.h"

// Asio's reactor gets an epoll of our own in front of it where its insides are known
// (epoll_reactor.cc, tested with 1.22.1); with every other version, or on request, it is used
// through the public interface (reactor_public.cc).
#if ASIO_VERSION == 102201 && !defined(PINGORA_ASIO_PUBLIC_API)
#define PINGORA_OWN_EPOLL 1
#else
#include <asio/posix/stream_descriptor.hpp>
#define PINGORA_OWN_EPOLL 0
#endif

namespace pingora::internal {

class EpollReactor;

/// What a descriptor has become ready for.
struct Edges {
  bool is_readable = false;
  bool is_writable = false;
  /// Nothing follows what is there to read: the peer has closed, or the connection has failed.
  bool has_ended = false;
};

/// A file descriptor's place in the reactor of an io_context. Edges are reported on whichever
/// thread runs the io_context, also side by side.
///
/// Made with new, once; `open`, then `close` or `release`, then `retire`, which is the end of it:
/// it may serve another descriptor, or be destroyed. Late reports of its former life are dropped.
class Reactor {
 public:
  /// Whether Edges::has_ended is ever said.
  static constexpr bool kTellsEnd = PINGORA_OWN_EPOLL;

  explicit Reactor(asio::io_context& context);
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  virtual ~Reactor() = default;

  /// Prepares a new io_context for reactors, before anything else of Asio's uses it.
  static asio::io_context& prepare(asio::io_context& context);
  /// One that was retired in `context`, if there is one: they are reused.
  static Reactor* take_retired(asio::io_context& context) noexcept;

  int fd() const noexcept { return fd_; }
  /// Begins. Reading is asked for from the first moment on: it costs no attempt that finds nothing.
  /// Returns 0, or the errno with which the system refuses; then nothing may be requested.
  [[nodiscard]] int open(int fd);
  /// Closes the descriptor.
  void close();
  /// Takes the descriptor out and returns it, open.
  int release();
  void retire();

 protected:
  /// Has the next edge in `direction` reported, if that is not so already; under the mutex. An edge
  /// that came before may be what is reported.
  void request(Direction direction);
  /// Told of edges, with `lock` on the mutex held, which it may let go.
  virtual void on_edges(Edges edges, std::unique_lock<Mutex>& lock) noexcept = 0;

  Mutex mutex_;

 private:
  int fd_ = -1;
#if PINGORA_OWN_EPOLL
  friend class EpollReactor;
  void report(std::uint32_t events, std::uint16_t life);
  int watch(int epoll_operation, std::uint32_t events);

  EpollReactor& reactor_;
  Reactor* next_retired_ = nullptr;
  // Guarded by the mutex of reactor_: the events to report, and of which life they are.
  Reactor* next_ready_ = nullptr;
  std::uint32_t ready_events_ = 0;  // 0: none are to be reported
  std::uint16_t ready_life_ = 0;
  // Guarded by mutex_.
  std::uint16_t life_ = 0;
  bool is_watched_ = false;
  bool watches_writing_ = false;
#else
  void report(Direction direction);
  bool is_requested() const noexcept { return requested_[0] || requested_[1]; }

  asio::posix::stream_descriptor descriptor_;  // closed if the system refused
  std::array<bool, 2> requested_{};            // these two are guarded by the mutex
  bool is_retired_ = false;
#endif
};

}  // namespace pingora::internal
