// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "runtime/thread_activity.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <latch>
#include <thread>

#include "pingora/base/clock.h"
#include "pingora/runtime/runtime.h"
#include "pingora/runtime/task_group.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

std::chrono::nanoseconds own_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void compute_for(std::chrono::nanoseconds time) {
  auto end = own_cpu_time() + time;
  while (own_cpu_time() < end) {
  }
}

// The first core that this process may use.
cpu_set_t one_core() {
  cpu_set_t all;
  CPU_ZERO(&all);
  ::sched_getaffinity(0, sizeof(all), &all);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &all)) continue;
    CPU_SET(core, &one);
    break;
  }
  return one;
}

Task<> attach(ThreadActivity* activity, std::promise<pid_t>* thread) {
  activity->attach();
  thread->set_value(::gettid());
  co_return;
}

// A handler of 20 us, or of nothing when it comes late.
Task<> compute_until(TimePoint end) {
  if (Clock::now() < end) compute_for(20us);
  co_return;
}

}  // namespace

TEST_CASE("ThreadActivity: nothing is known of a thread that was not attached", "[monitor]") {
  ThreadActivity activity;
  CHECK(activity.cpu_time() == 0ns);
  CHECK_FALSE(activity.is_runnable());
}

TEST_CASE("ThreadActivity: a thread that computes runs", "[monitor]") {
  ThreadActivity activity;
  activity.attach();
  auto before = activity.cpu_time();
  compute_for(1ms);
  CHECK(activity.cpu_time() - before >= 1ms);
  CHECK(activity.is_runnable());
}

TEST_CASE("ThreadActivity: a thread that is blocked is not runnable", "[monitor]") {
  ThreadActivity activity;
  std::latch is_attached(1);
  std::latch may_end(1);
  std::thread thread([&] {
    activity.attach();
    is_attached.count_down();
    may_end.wait();
  });
  is_attached.wait();
  TimePoint give_up = Clock::now() + 10s;
  while (activity.is_runnable() && Clock::now() < give_up) std::this_thread::yield();
  CHECK_FALSE(activity.is_runnable());
  auto before = activity.cpu_time();
  CHECK(before > 0ns);
  CHECK(activity.cpu_time() == before);
  may_end.count_down();
  thread.join();
}

TEST_CASE("Monitor: a worker that waits for a core is not stuck", "[monitor]") {
  Runtime runtime(RuntimeOptions{.threads = 1, .name = "test"});
  runtime.start();
  TaskGroup group(runtime);
  ThreadActivity activity;
  std::promise<pid_t> worker;
  group.spawn(compute_until(kNever));  // what is done for the first time takes longer
  group.spawn(attach(&activity, &worker));
  group.join_blocking();
  pid_t thread = worker.get_future().get();
  while (activity.is_runnable()) std::this_thread::yield();
  std::uint64_t helped_before = runtime.helped_count();
  // From now on another thread comes before it.
  cpu_set_t core = one_core();
  sched_param parameters{};
  REQUIRE(::sched_setaffinity(thread, sizeof(core), &core) == 0);
  REQUIRE(::sched_setscheduler(thread, SCHED_IDLE, &parameters) == 0);
  std::atomic<bool> is_done{false};
  std::thread other([&] {
    ::sched_setaffinity(0, sizeof(core), &core);
    while (!is_done.load()) compute_for(20us);
  });
  TimePoint end = Clock::now() + 100ms;
  for (int i = 0; i < 1000; ++i) group.spawn(compute_until(end));
  group.join_blocking();
  is_done.store(true);
  other.join();
  CHECK(runtime.helped_count() == helped_before);
}
