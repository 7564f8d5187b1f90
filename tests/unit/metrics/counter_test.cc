// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/metrics/counter.h"

#include <catch2/catch.hpp>
#include <set>
#include <thread>
#include <vector>

using pingora::Counter;
using pingora::Gauge;

TEST_CASE("Counter: adds up", "[metrics]") {
  Counter counter;
  CHECK(counter.value() == 0);
  counter.add();
  counter.add(41);
  CHECK(counter.value() == 42);
}

TEST_CASE("Counter: loses nothing to other threads", "[metrics]") {
  Counter counter;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < pingora::internal::kMetricShards + 2; ++t) {
    threads.emplace_back([&counter] {
      for (int i = 0; i < 1000; ++i) counter.add();
    });
  }
  std::uint64_t before = 0;
  for (int i = 0; i < 100; ++i) {
    std::uint64_t now = counter.value();
    CHECK(now >= before);
    before = now;
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(counter.value() == 1000 * (pingora::internal::kMetricShards + 2));
}

TEST_CASE("Counter: threads write to different cells", "[metrics]") {
  std::vector<std::size_t> shards(pingora::internal::kMetricShards);
  for (std::size_t& shard : shards) {
    std::thread([&shard] { shard = pingora::internal::metric_shard(); }).join();
  }
  CHECK(std::set<std::size_t>(shards.begin(), shards.end()).size() == shards.size());
}

TEST_CASE("Gauge: goes up and down", "[metrics]") {
  Gauge gauge;
  gauge.add();
  gauge.add(5);
  gauge.sub(10);
  gauge.sub();
  CHECK(gauge.value() == -5);
  gauge.set(7);
  CHECK(gauge.value() == 7);
}

TEST_CASE("Gauge: loses nothing to other threads", "[metrics]") {
  Gauge gauge;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&gauge] {
      for (int i = 0; i < 1000; ++i) {
        gauge.add(2);
        gauge.sub(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(gauge.value() == 4000);
}
