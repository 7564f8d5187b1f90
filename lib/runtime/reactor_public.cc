// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "reactor.h"

#if !PINGORA_OWN_EPOLL

#include <unistd.h>

#include <utility>

namespace pingora::internal {

asio::io_context& Reactor::prepare(asio::io_context& context) { return context; }

Reactor* Reactor::take_retired(asio::io_context&) noexcept { return nullptr; }

Reactor::Reactor(asio::io_context& context) : descriptor_(context) {}

int Reactor::open(int fd) {
  std::lock_guard lock(mutex_);
  fd_ = fd;
  asio::error_code error;
  descriptor_.assign(fd, error);
  if (!error) request(Direction::Read);
  return error.value();
}

void Reactor::request(Direction direction) {
  if (std::exchange(requested_[static_cast<std::size_t>(direction)], true)) return;
  descriptor_.async_wait(direction == Direction::Read ? asio::posix::stream_descriptor::wait_read
                                                      : asio::posix::stream_descriptor::wait_write,
                         [this, direction](const asio::error_code&) { report(direction); });
}

void Reactor::report(Direction direction) {
  std::unique_lock lock(mutex_);
  requested_[static_cast<std::size_t>(direction)] = false;
  if (is_retired_) {
    if (is_requested()) return;
    lock.unlock();
    delete this;
    return;
  }
  on_edges(
      {.is_readable = direction == Direction::Read, .is_writable = direction == Direction::Write},
      lock);
}

void Reactor::close() {
  std::lock_guard lock(mutex_);
  int fd = std::exchange(fd_, -1);
  if (fd < 0) return;
  if (!descriptor_.is_open()) {
    ::close(fd);
    return;
  }
  asio::error_code ignored;    // the descriptor is gone either way
  descriptor_.close(ignored);  // has every wait reported
}

int Reactor::release() {
  std::lock_guard lock(mutex_);
  int fd = std::exchange(fd_, -1);
  if (descriptor_.is_open()) descriptor_.release();
  return fd;
}

void Reactor::retire() {
  std::unique_lock lock(mutex_);
  is_retired_ = true;
  if (is_requested()) return;
  lock.unlock();
  delete this;
}

}  // namespace pingora::internal

#endif
