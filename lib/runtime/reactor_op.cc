// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "reactor.h"

#if PINGORA_REACTOR_OP

#include <unistd.h>

#include <utility>

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

Reactor::Reactor(asio::io_context& context, int fd) noexcept
    : fd_(fd), context_(context), reactor_(asio::use_service<epoll_reactor>(context)) {
  reactor_.init_task();
}

Reactor::~Reactor() { close(); }

int Reactor::open(WaitOp& read_op) {
  // Asio counts as work what it starts itself, and this it does not.
  asio::use_service<asio::detail::scheduler>(context_).work_started();
  return reactor_.register_internal_descriptor(epoll_reactor::read_op, fd_, data_, &read_op);
}

// "Speculative" is Asio's word for asking the operation first. A wait behind an edge that was seen
// while nobody waited is over at once, as it should; but Asio also takes a new descriptor for
// ready, which one that has just refused to take more bytes is not.
void Reactor::start(Direction direction, WaitOp& op) {
  op.ec_ = asio::error_code();
  bool is_reading = direction == Direction::Read;
  bool is_speculative = is_reading || std::exchange(has_waited_for_writing_, true);
  reactor_.start_op(is_reading ? epoll_reactor::read_op : epoll_reactor::write_op, fd_, data_, &op,
                    /*is_continuation=*/true, is_speculative);
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
