// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// What a coroutine costs: a task that is ready, one with a frame, one that suspends and is resumed
// through its strand. The baselines are a plain call and a call through std::function. Not
// measured: what the reactor adds to a real wait.

#include <benchmark/benchmark.h>

#include <functional>

#include "pingora/runtime/task_group.h"
#include "pingora/runtime/timer.h"

namespace {

using namespace pingora;

constexpr int kRounds = 1000;

[[gnu::noinline]] int plain_call(int value) {
  benchmark::DoNotOptimize(value);
  return value + 1;
}
[[gnu::noinline]] Task<int> ready_task(int value) { return value + 1; }
[[gnu::noinline]] Task<int> framed_task(int value) { co_return value + 1; }

Task<> await_ready() {
  for (int i = 0; i < kRounds; ++i) benchmark::DoNotOptimize(co_await ready_task(i));
}
Task<> await_framed() {
  for (int i = 0; i < kRounds; ++i) benchmark::DoNotOptimize(co_await framed_task(i));
}
Task<> await_switch() {
  for (int i = 0; i < kRounds; ++i) co_await yield();
}

void run_rounds(benchmark::State& state, Task<> (*rounds)()) {
  Runtime runtime({.threads = 1, .work_stealing = false});
  runtime.start();
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(block_on(runtime, rounds()));
  state.SetItemsProcessed(state.iterations() * kRounds);
}

void baseline_plain_call(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(plain_call(1));
}
void baseline_std_function(benchmark::State& state) {
  std::function<int(int)> function = plain_call;
  benchmark::DoNotOptimize(function);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(function(1));
}

BENCHMARK(baseline_plain_call)->Name("runtime/task/baseline_plain_call");
BENCHMARK(baseline_std_function)->Name("runtime/task/baseline_std_function");
BENCHMARK_CAPTURE(run_rounds, ready, await_ready)->Name("runtime/task/ready_x1000")->UseRealTime();
BENCHMARK_CAPTURE(run_rounds, framed, await_framed)
    ->Name("runtime/task/frame_x1000")
    ->UseRealTime();
BENCHMARK_CAPTURE(run_rounds, yielding, await_switch)
    ->Name("runtime/task/switch_x1000")
    ->UseRealTime();

}  // namespace
