// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/log_limiter.h"

#include <catch2/catch.hpp>
#include <thread>
#include <vector>

using namespace pingora;
using namespace std::chrono_literals;

TEST_CASE("LogLimiter: one line in an interval, which says how many it stands for", "[log]") {
  LogLimiter limiter(1s);
  TimePoint start(100s);
  CHECK(limiter.admit(start) == 0U);
  CHECK(limiter.admit(start) == std::nullopt);
  CHECK(limiter.admit(start + 1s - 1ns) == std::nullopt);
  CHECK(limiter.admit(start + 1s) == 2U);
  CHECK(limiter.admit(start + 1s) == std::nullopt);
  CHECK(limiter.admit(start + 5s) == 1U);
  CHECK(limiter.admit(start + 10s) == 0U);
  CHECK(LogLimiter::more(0).empty());
  CHECK(LogLimiter::more(3) == "; 3 more since the last such line");
}

TEST_CASE("LogLimiter: threads that log at once log once, and none is lost", "[log]") {
  constexpr int kThreads = 4;
  constexpr int kLines = 1000;
  LogLimiter limiter(1s);
  std::atomic<int> admitted{0};
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int line = 0; line < kLines; ++line) {
        if (limiter.admit(TimePoint(100s))) ++admitted;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(admitted == 1);
  CHECK(limiter.admit(TimePoint(200s)) == static_cast<std::uint64_t>(kThreads * kLines - 1));
}
