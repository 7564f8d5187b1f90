// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// How a stuck worker is noticed: a thread's tick is odd while it runs a handler and moves on with
// every handler. One that is odd and the same at two looks, a period apart, is stuck, unless a
// helper is there already and moves, or the thread has stood still only because others had its
// core. When all ticks are even for a while, the monitor rests; the first handler that starts then
// wakes it.
#include "monitor.h"

#include <condition_variable>

#include "thread_activity.h"

namespace pingora {
namespace {

constexpr int kIdleLooksBeforeRest = 50;

// How many monitors rest now, in the whole process, and where to wake them: a handler that starts
// reads the first, and in the common case nothing else.
std::atomic<int> resting{0};
std::mutex rest_mutex;
std::condition_variable rest_over;
std::uint64_t rest_epoch = 0;  // guarded by rest_mutex

}  // namespace

constinit thread_local std::atomic<std::uint64_t>* current_tick = nullptr;

HandlerScope::HandlerScope() noexcept {
  if (auto* tick = current_tick) {
    std::uint64_t now = tick->load(std::memory_order_relaxed);
    step_ = 1 + (now & 1);
    tick->store(now + step_, std::memory_order_relaxed);
    Monitor::wake_if_resting();
  }
}

HandlerScope::~HandlerScope() {
  if (auto* tick = current_tick) {
    tick->store(tick->load(std::memory_order_relaxed) + step_, std::memory_order_relaxed);
  }
}

Monitor::Monitor(Runtime& runtime, std::vector<std::unique_ptr<Worker>>& workers)
    : runtime_(runtime), workers_(workers), watched_(workers.size()) {}

Monitor::~Monitor() { stop(); }

void Monitor::start() {
  for (Helper& helper : helpers_) {
    helper.thread = std::thread([this, &helper] { run(helper); });
  }
}

void Monitor::stop() {
  is_stopping_.store(true);
  {
    std::lock_guard lock(rest_mutex);
    ++rest_epoch;
  }
  rest_over.notify_all();
  for (Helper& helper : helpers_) {
    if (helper.thread.joinable()) helper.thread.join();
  }
}

void Monitor::wake_if_resting() noexcept {
  if (resting.load(std::memory_order_relaxed) == 0) return;
  {
    std::lock_guard lock(rest_mutex);
    ++rest_epoch;
  }
  rest_over.notify_all();
}

void Monitor::run(Helper& self) {
  current_tick = &self.tick;
  while (!is_stopping_.load(std::memory_order_relaxed)) {
    std::size_t index = 0;
    Worker* stuck = nullptr;
    {
      std::lock_guard lock(look_);
      stuck = watch(&index);
      if (stuck != nullptr) watched_[index].helper.store(&self, std::memory_order_release);
    }
    if (stuck != nullptr) help(*stuck, index, self);
  }
}

bool Monitor::pause(bool is_idle) {
  if (!is_idle) {
    // A plain sleep: half of what a timed wait on a condition variable costs, hundreds of times a
    // second on a core that has better things to do. `stop` waits for its end.
    std::this_thread::sleep_for(runtime_.options().monitor_period);
    return !is_stopping_.load(std::memory_order_relaxed);
  }
  std::unique_lock lock(rest_mutex);
  resting.fetch_add(1);
  // The bound covers a handler that started between the last look and the line above.
  rest_over.wait_for(lock, std::chrono::milliseconds(100), [this, epoch = rest_epoch] {
    return rest_epoch != epoch || is_stopping_.load(std::memory_order_relaxed);
  });
  resting.fetch_sub(1);
  return !is_stopping_.load();
}

Worker* Monitor::watch(std::size_t* index) {
  for (Watched& watched : watched_) watched.seen = watched.helper_seen = 0;
  int idle_looks = 0;
  while (pause(idle_looks >= kIdleLooksBeforeRest)) {
    bool is_idle = true;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      Watched& watched = watched_[i];
      std::uint64_t tick = workers_[i]->tick_.load(std::memory_order_relaxed);
      Helper* helper = watched.helper.load(std::memory_order_acquire);
      std::uint64_t helper_tick =
          helper != nullptr ? helper->tick.load(std::memory_order_relaxed) : 0;
      bool is_helped =
          helper != nullptr && ((helper_tick & 1) == 0 || helper_tick != watched.helper_seen);
      if ((tick & 1) != 0 || tick != watched.seen) is_idle = false;
      watched.helper_seen = helper_tick;
      if (is_stuck(*workers_[i], watched, tick) && !is_helped) {
        *index = i;
        return workers_[i].get();
      }
    }
    idle_looks = is_idle ? idle_looks + 1 : 0;
  }
  return nullptr;
}

// A thread in a handler computes, is blocked, or waits for a core that others have: then there is
// nothing that a helper could do sooner.
bool Monitor::is_stuck(const Worker& worker, Watched& watched, std::uint64_t tick) const {
  if ((tick & 1) == 0 || tick != watched.seen) {
    watched.seen = tick;
    if ((tick & 1) != 0) watched.ran = worker.activity_->cpu_time();
    return false;
  }
  auto ran = worker.activity_->cpu_time() - watched.ran;
  return ran >= runtime_.options().monitor_period / 2 || !worker.activity_->is_runnable();
}

void Monitor::help(Worker& worker, std::size_t index, Helper& self) {
  helped_.fetch_add(1, std::memory_order_relaxed);
  std::uint64_t stuck_at = worker.tick_.load(std::memory_order_relaxed);
  while ((stuck_at & 1) != 0 && worker.tick_.load(std::memory_order_relaxed) == stuck_at &&
         !is_stopping_.load(std::memory_order_relaxed)) {
    worker.io_context().run_one_for(std::chrono::milliseconds(1));
  }
  Helper* expected = &self;
  watched_[index].helper.compare_exchange_strong(expected, nullptr);
}

}  // namespace pingora
