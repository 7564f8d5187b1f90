// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/limits/inflight.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

using pingora::Inflight;

TEST_CASE("Inflight: a guard counts for as long as it lives", "[limits]") {
  Inflight inflight;
  {
    auto [first, one] = inflight.incr("a");
    CHECK(one == 1);
    auto [second, four] = inflight.incr("a", 3);
    CHECK(four == 4);
    CHECK(first.get() == 4);
    CHECK(inflight.get("b") == 0);
  }
  CHECK(inflight.get("a") == 0);
}

TEST_CASE("Inflight: a guard that moves counts once", "[limits]") {
  Inflight inflight;
  std::optional<Inflight::Guard> kept;
  {
    auto [guard, count] = inflight.incr("a");
    kept.emplace(std::move(guard));
  }
  CHECK(inflight.get("a") == 1);
  auto [other, count] = inflight.incr("b", 2);
  other = std::move(*kept);
  CHECK(inflight.get("b") == 0);
  CHECK(inflight.get("a") == 1);
  other = inflight.incr("c").first;
  CHECK(inflight.get("a") == 0);
  CHECK(inflight.get("c") == 1);
}

TEST_CASE("Inflight: guards die on any thread", "[limits]") {
  Inflight inflight;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&inflight, guard = inflight.incr("a").first] mutable {
      for (int i = 0; i < 500; ++i) {
        auto [inner, count] = inflight.incr("a");
        if (count < 1) std::abort();
      }
      Inflight::Guard gone = std::move(guard);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(inflight.get("a") == 0);
}
