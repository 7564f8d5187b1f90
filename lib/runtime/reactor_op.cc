// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "reactor.h"

#if PINGORA_REACTOR_OP

#include <unistd.h>

namespace pingora::internal {

using asio::detail::epoll_reactor;

WaitOp::WaitOp(OnComplete on_complete) noexcept
    : reactor_op(asio::error_code(), &perform_wait, &complete_wait), on_complete_(on_complete) {}

// Readiness is all that is asked for: the system call is made in the strand. "Exhausted" keeps Asio
// from trying again before the next edge.
asio::detail::reactor_op::status WaitOp::perform_wait(asio::detail::reactor_op*) {
  return done_and_exhausted;
}

void WaitOp::complete_wait(void* /*owner*/, asio::detail::operation* base, const asio::error_code&,
                           std::size_t) {
  auto* self = static_cast<WaitOp*>(static_cast<asio::detail::reactor_op*>(base));
  self->on_complete_(*self);
}

Reactor::Reactor(asio::io_context& context, int fd)
    : fd_(fd), reactor_(asio::use_service<epoll_reactor>(context)) {
  reactor_.init_task();
  // A failure (out of watches) shows as an operation that completes at once: the system calls that
  // follow block on nothing, and the deadline of the operation ends it.
  reactor_.register_descriptor(fd_, data_);
}

Reactor::~Reactor() { close(); }

void Reactor::start(Direction direction, WaitOp& op) {
  op.ec_ = asio::error_code();
  reactor_.start_op(direction == Direction::Read ? epoll_reactor::read_op : epoll_reactor::write_op,
                    fd_, data_, &op, /*is_continuation=*/true, /*allow_speculative=*/true);
}

void Reactor::close() {
  if (fd_ < 0) return;
  reactor_.deregister_descriptor(fd_, data_, /*closing=*/true);
  reactor_.cleanup_descriptor_data(data_);
  ::close(std::exchange(fd_, -1));
}

int Reactor::release() {
  reactor_.deregister_descriptor(fd_, data_, /*closing=*/false);
  reactor_.cleanup_descriptor_data(data_);
  return std::exchange(fd_, -1);
}

}  // namespace pingora::internal

#endif
