// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Using an item of a list of 10,000, beside one map and one list under one mutex. Says nothing
// about which items are kept.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <list>
#include <mutex>
#include <unordered_map>

#include "pingora/lru/lru.h"

namespace {

constexpr std::uint64_t kItems = 10'000;

pingora::Lru<int>& filled() {
  static auto* lru = [] {
    auto* all = new pingora::Lru<int>({.weight_max = kItems, .shards = 16});
    for (std::uint64_t key = 0; key < kItems; ++key) all->admit(key, 0, 1);
    return all;
  }();
  return *lru;
}

class MutexLru {
 public:
  MutexLru() {
    for (std::uint64_t key = 0; key < kItems; ++key) {
      places_[key] = order_.insert(order_.begin(), key);
    }
  }
  void promote(std::uint64_t key) {
    std::lock_guard lock(mutex_);
    order_.splice(order_.begin(), order_, places_.at(key));
  }

 private:
  std::mutex mutex_;
  std::list<std::uint64_t> order_;
  std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> places_;
};

MutexLru mutex_lru;

void promote(benchmark::State& state) {
  pingora::Lru<int>& lru = filled();
  std::uint64_t i = static_cast<std::uint64_t>(state.thread_index()) * 1000;
  for (auto _ : state) benchmark::DoNotOptimize(lru.promote((i += 7919) % kItems));
}
BENCHMARK(promote)->Name("lru/promote/10k_items")->ThreadRange(1, 8);

void baseline(benchmark::State& state) {
  std::uint64_t i = static_cast<std::uint64_t>(state.thread_index()) * 1000;
  for (auto _ : state) mutex_lru.promote((i += 7919) % kItems);
}
BENCHMARK(baseline)->Name("lru/baseline_one_mutex/10k_items")->ThreadRange(1, 8);

void admit_and_evict(benchmark::State& state) {
  static auto* lru = new pingora::Lru<int>({.weight_max = kItems, .shards = 16});
  std::uint64_t i = static_cast<std::uint64_t>(state.thread_index()) << 40;
  for (auto _ : state) {
    lru->admit(++i, 0, 1);
    benchmark::DoNotOptimize(lru->evict_to_limit());
  }
}
BENCHMARK(admit_and_evict)->Name("lru/admit_and_evict/10k_items")->ThreadRange(1, 8);

}  // namespace
