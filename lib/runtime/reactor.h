// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/io_context.hpp>
#include <asio/version.hpp>

#include "pingora/runtime/descriptor.h"

// Asio's reactor is used directly where its insides are known (reactor_op.cc, tested with 1.22.1),
// and through the public interface (reactor_public.cc) with every other version, or on request.
#if ASIO_VERSION == 102201 && !defined(PINGORA_ASIO_PUBLIC_API)
#include <asio/detail/epoll_reactor.hpp>
#include <asio/detail/reactor_op.hpp>
#define PINGORA_REACTOR_OP 1
#else
#include <asio/posix/stream_descriptor.hpp>
#define PINGORA_REACTOR_OP 0
#endif

namespace pingora::internal {

/// One direction's wait in the reactor. Lives until `on_complete` has been called for it.
class WaitOp
#if PINGORA_REACTOR_OP
    : public asio::detail::reactor_op
#endif
{
 public:
  using OnComplete = void (*)(WaitOp&) noexcept;
  explicit WaitOp(OnComplete on_complete) noexcept;

 private:
  friend class Reactor;
#if PINGORA_REACTOR_OP
  static status perform_wait(asio::detail::reactor_op*);
  static void complete_wait(void* owner, asio::detail::operation*, const asio::error_code&,
                            std::size_t);
#endif
  OnComplete on_complete_;
};

/// A file descriptor's registration with the reactor of an io_context. Waits are edge-triggered and
/// reported once, on whichever thread runs the io_context; also when the registration ends.
/// Thread-safe, but for `close` and `release`, which come last.
class Reactor {
 public:
  Reactor(asio::io_context& context, int fd) noexcept;
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  ~Reactor();

  int fd() const noexcept { return fd_; }
  /// Begins, with a wait for reading that is in the reactor from the first moment on: it costs no
  /// attempt that finds nothing. Returns 0, or the errno with which the system refuses; then the
  /// wait is reported at the latest when the registration ends, and no other may be started.
  [[nodiscard]] int open(WaitOp& read_op);
  void start(Direction direction, WaitOp& op);
  /// Ends the registration and closes the descriptor. Waits still in it are reported.
  void close();
  /// Ends the registration and returns the descriptor, open.
  int release();

 private:
  int fd_;
#if PINGORA_REACTOR_OP
  asio::io_context& context_;
  asio::detail::epoll_reactor& reactor_;
  asio::detail::epoll_reactor::per_descriptor_data data_{};
  bool has_waited_for_writing_ = false;
#else
  asio::posix::stream_descriptor descriptor_;  // closed if the system refused
#endif
};

}  // namespace pingora::internal
