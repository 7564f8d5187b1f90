// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/runtime.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <asio/bind_allocator.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

#include "blocking_pool.h"
#include "monitor.h"
#include "pingora/base/assert.h"
#include "reactor.h"
#include "thread_activity.h"

namespace pingora {
namespace {

void name_thread(const std::string& prefix, const std::string& role) {
  std::string name = prefix + role;
  name.resize(std::min<std::size_t>(name.size(), 15));  // the kernel's limit
  ::pthread_setname_np(::pthread_self(), name.c_str());
}

// Has what is posted in the frames' free lists: Asio itself keeps two pieces of memory, and strands
// of the streams of one connection are posted by the hundred.
template <class T>
struct FrameListAllocator {
  using value_type = T;
  FrameListAllocator() noexcept = default;
  template <class U>
  explicit FrameListAllocator(const FrameListAllocator<U>& /*other*/) noexcept {}
  T* allocate(std::size_t count) {
    return static_cast<T*>(internal::frame_allocate(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    internal::frame_deallocate(memory, count * sizeof(T));
  }
  friend bool operator==(const FrameListAllocator&, const FrameListAllocator&) noexcept = default;
};

}  // namespace

Worker::Worker(Runtime& runtime, std::size_t index)
    : runtime_(runtime),
      index_(index),
      activity_(std::make_unique<ThreadActivity>()),
      wheel_(Clock::now()),
      wheel_timer_(internal::Reactor::prepare(io_context_)) {}

Worker::~Worker() = default;

void Worker::run() {
  current_tick = &tick_;
  activity_->attach();
  auto guard = asio::make_work_guard(io_context_);
  io_context_.run();
  current_tick = nullptr;
}

void Worker::post_drain(Strand& strand) {
  asio::post(io_context_,
             asio::bind_allocator(FrameListAllocator<void>(), [&strand] { strand.drain(); }));
}

void Worker::add_timer(TimerNode& node, TimePoint expiry, Strand& strand, Job& job) {
  if (wheel_.insert(node, expiry, strand, job)) arm_wheel_timer();
}

void Worker::move_timer(TimerNode& node, TimePoint expiry) {
  if (wheel_.move(node, expiry)) arm_wheel_timer();
}

void Worker::arm_wheel_timer() {
  std::lock_guard lock(wheel_timer_mutex_);
  TimePoint next = wheel_.next_advance();
  if (next >= wheel_timer_expiry_) return;
  wheel_timer_expiry_ = next;
  wheel_timer_.expires_at(next);
  wheel_timer_.async_wait([this](const asio::error_code& error) {
    if (error) return;  // armed for an earlier time instead
    HandlerScope scope;
    {
      std::lock_guard fired(wheel_timer_mutex_);
      wheel_timer_expiry_ = kNever;
    }
    wheel_.advance(Clock::now());
    arm_wheel_timer();
  });
}

Runtime::Runtime(RuntimeOptions options) : options_(std::move(options)) {
  if (options_.threads == 0) options_.threads = usable_cores();
  for (std::size_t i = 0; i < options_.threads; ++i) {
    workers_.push_back(std::make_unique<Worker>(*this, i));
  }
  blocking_pool_ = std::make_unique<BlockingPool>(options_.blocking_threads_max);
  monitor_ = std::make_unique<Monitor>(*this, workers_);
}

Runtime::~Runtime() { stop(); }

void Runtime::start() {
  PINGORA_ASSERT(!is_running_);
  is_running_ = true;
  for (auto& worker : workers_) {
    threads_.emplace_back([this, &worker = *worker] {
      name_thread(options_.name, "-w" + std::to_string(worker.index()));
      worker.run();
    });
  }
  if (options_.work_stealing) monitor_->start();
}

void Runtime::stop() {
  blocking_pool_->stop();
  monitor_->stop();
  for (auto& worker : workers_) worker->io_context_.stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  is_running_ = false;
}

Worker& Runtime::least_loaded_worker() noexcept {
  std::size_t first = next_worker_.fetch_add(1, std::memory_order_relaxed) % workers_.size();
  Worker* best = workers_[first].get();
  for (std::size_t i = 1; i < workers_.size(); ++i) {
    Worker* other = workers_[(first + i) % workers_.size()].get();
    if (other->load() < best->load()) best = other;
  }
  return *best;
}

std::uint64_t Runtime::helped_count() const noexcept { return monitor_->helped_count(); }

std::size_t Runtime::usable_cores() noexcept {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (::sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  return static_cast<std::size_t>(std::max(CPU_COUNT(&cores), 1));
}

}  // namespace pingora
