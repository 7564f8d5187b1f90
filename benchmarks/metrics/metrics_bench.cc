// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Recording a metric, beside one atomic that all threads share. Says nothing about reading.
#include <benchmark/benchmark.h>

#include <atomic>

#include "pingora/metrics/histogram.h"

namespace {

pingora::Counter counter;
pingora::Histogram histogram;
std::atomic<std::uint64_t> shared_atomic{0};

void counter_add(benchmark::State& state) {
  for (auto _ : state) counter.add();
}
BENCHMARK(counter_add)->Name("metrics/counter/add")->ThreadRange(1, 8);

void baseline_atomic(benchmark::State& state) {
  for (auto _ : state) shared_atomic.fetch_add(1, std::memory_order_relaxed);
}
BENCHMARK(baseline_atomic)->Name("metrics/counter/baseline_one_atomic")->ThreadRange(1, 8);

void histogram_record(benchmark::State& state) {
  std::uint64_t value = 1;
  for (auto _ : state) {
    histogram.record(value & 0xffff);
    value = value * 6364136223846793005ULL + 1442695040888963407ULL;
  }
}
BENCHMARK(histogram_record)->Name("metrics/histogram/record")->ThreadRange(1, 8);

}  // namespace
