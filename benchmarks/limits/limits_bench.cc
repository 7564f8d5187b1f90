// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Counting a request against a limit, beside a map under a mutex as one would write it first. The
// map is exact and grows with the number of keys; neither is measured here.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "pingora/limits/inflight.h"
#include "pingora/limits/rate.h"

namespace {

const std::array<std::string, 64>& keys() {
  static const auto all = [] {
    std::array<std::string, 64> names;
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = "2001:db8::" + std::to_string(i);
    return names;
  }();
  return all;
}

class MutexMap {
 public:
  std::int64_t observe(const std::string& key, std::int64_t n) {
    std::lock_guard lock(mutex_);
    return counts_[key] += n;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::int64_t> counts_;
};

pingora::Rate rate(std::chrono::seconds(1));
pingora::Inflight inflight;
MutexMap mutex_map;

void rate_observe(benchmark::State& state) {
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(rate.observe(keys()[i++ % 64], 1));
}
BENCHMARK(rate_observe)->Name("limits/rate/observe/64_keys")->ThreadRange(1, 8);

void baseline(benchmark::State& state) {
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(mutex_map.observe(keys()[i++ % 64], 1));
}
BENCHMARK(baseline)->Name("limits/rate/baseline_mutex_map/64_keys")->ThreadRange(1, 8);

void inflight_guard(benchmark::State& state) {
  std::size_t i = 0;
  for (auto _ : state) {
    auto [guard, count] = inflight.incr(keys()[i++ % 64]);
    benchmark::DoNotOptimize(count);
  }
}
BENCHMARK(inflight_guard)->Name("limits/inflight/incr_and_drop/64_keys")->ThreadRange(1, 8);

}  // namespace
