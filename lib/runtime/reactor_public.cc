// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "reactor.h"

#if !PINGORA_REACTOR_OP

#include <utility>

namespace pingora::internal {

WaitOp::WaitOp(OnComplete on_complete) noexcept : on_complete_(on_complete) {}

Reactor::Reactor(asio::io_context& context, int fd) noexcept : fd_(fd), descriptor_(context, fd) {}

Reactor::~Reactor() { close(); }

void Reactor::open(WaitOp& read_op) { start(Direction::Read, read_op); }

void Reactor::start(Direction direction, WaitOp& op) {
  descriptor_.async_wait(direction == Direction::Read ? asio::posix::stream_descriptor::wait_read
                                                      : asio::posix::stream_descriptor::wait_write,
                         [&op](const asio::error_code&) { op.on_complete_(op); });
}

void Reactor::close() {
  if (std::exchange(fd_, -1) < 0) return;
  asio::error_code ignored;  // the descriptor is gone either way
  descriptor_.close(ignored);
}

int Reactor::release() {
  fd_ = -1;
  return descriptor_.release();
}

}  // namespace pingora::internal

#endif
