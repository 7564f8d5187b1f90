// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Arming and disarming a timer while 10,000 others are armed: in the wheel, and as a deadline of a
// strand, which touches the wheel only when it has to. The baseline is an ordered map of deadlines.
// Not measured: firing.

#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <vector>

#include "pingora/runtime/runtime.h"
#include "pingora/runtime/timer.h"
#include "pingora/runtime/timer_wheel.h"

namespace {

using namespace pingora;
using namespace std::chrono_literals;

constexpr int kOthers = 10'000;

TimePoint spread(TimePoint now, int i) { return now + 1s + std::chrono::milliseconds(i * 7); }

void wheel(benchmark::State& state) {
  Runtime runtime({.threads = 1});
  StrandRef strand = StrandRef::make(runtime.worker(0));
  Job job([](Job&) {});
  TimePoint now = Clock::now();
  TimerWheel timers(now);
  std::vector<std::unique_ptr<TimerNode>> others;
  for (int i = 0; i < kOthers; ++i) {
    others.push_back(std::make_unique<TimerNode>());
    timers.insert(*others.back(), spread(now, i), *strand, job);
  }
  TimerNode node;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(timers.insert(node, now + 60s, *strand, job));
    timers.remove(node);
  }
  for (auto& other : others) timers.remove(*other);
}

void deadline(benchmark::State& state) {
  Runtime runtime({.threads = 1});
  StrandRef strand = StrandRef::make(runtime.worker(0));
  {
    Deadline one([](Deadline&) {});
    TimePoint until = Clock::now() + 60s;
    for ([[maybe_unused]] auto _ : state) {
      one.set(*strand, until);
      one.lift();
    }
  }
  strand->end_deadlines();
}

void baseline_ordered_map(benchmark::State& state) {
  TimePoint now = Clock::now();
  std::multimap<TimePoint, int> timers;
  for (int i = 0; i < kOthers; ++i) timers.emplace(spread(now, i), i);
  for ([[maybe_unused]] auto _ : state) {
    auto place = timers.emplace(now + 60s, 0);
    timers.erase(place);
  }
}

BENCHMARK(baseline_ordered_map)->Name("runtime/timer/baseline_ordered_map");
BENCHMARK(wheel)->Name("runtime/timer/wheel_arm_disarm");
BENCHMARK(deadline)->Name("runtime/timer/deadline_set_lift");

}  // namespace
