// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "blocking_pool.h"

#include <system_error>
#include <utility>

namespace pingora {

void BlockingPool::submit(std::move_only_function<void()> work) {
  std::lock_guard lock(mutex_);
  queue_.push_back(std::move(work));
  if (queue_.size() > idle_ && threads_.size() < threads_max_) {
    try {
      threads_.emplace_back([this] { run(); });
    } catch (const std::system_error&) {
      // No more threads to be had: one that is there will come to it, if there is one.
      if (threads_.empty()) {
        queue_.pop_back();
        throw;
      }
    }
  }
  available_.notify_one();
}

void BlockingPool::stop() {
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
    threads.swap(threads_);
  }
  available_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void BlockingPool::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    available_.wait(lock, [this] { return !queue_.empty() || is_stopping_; });
    --idle_;
    if (queue_.empty()) return;
    auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

}  // namespace pingora
