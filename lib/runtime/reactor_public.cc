// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "reactor.h"

#if !PINGORA_REACTOR_OP

#include <unistd.h>

#include <asio/post.hpp>
#include <utility>

namespace pingora::internal {

WaitOp::WaitOp(OnComplete on_complete) noexcept : on_complete_(on_complete) {}

Reactor::Reactor(asio::io_context& context, int fd) noexcept : fd_(fd), descriptor_(context) {}

Reactor::~Reactor() { close(); }

int Reactor::open(WaitOp& read_op) {
  asio::error_code error;
  descriptor_.assign(fd_, error);
  if (error) {
    asio::post(descriptor_.get_executor(), [&read_op] { read_op.on_complete_(read_op); });
  } else {
    start(Direction::Read, read_op);
  }
  return error.value();
}

void Reactor::start(Direction direction, WaitOp& op) {
  descriptor_.async_wait(direction == Direction::Read ? asio::posix::stream_descriptor::wait_read
                                                      : asio::posix::stream_descriptor::wait_write,
                         [&op](const asio::error_code&) { op.on_complete_(op); });
}

void Reactor::close() {
  int fd = std::exchange(fd_, -1);
  if (fd < 0) return;
  if (!descriptor_.is_open()) {
    ::close(fd);
    return;
  }
  asio::error_code ignored;  // the descriptor is gone either way
  descriptor_.close(ignored);
}

int Reactor::release() {
  int fd = std::exchange(fd_, -1);
  if (descriptor_.is_open()) descriptor_.release();
  return fd;
}

}  // namespace pingora::internal

#endif
