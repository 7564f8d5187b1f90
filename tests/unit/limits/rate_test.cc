// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/limits/rate.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using pingora::proportional_rate;
using pingora::Rate;
using pingora::RateComponents;
using pingora::TimePoint;

namespace {
constexpr TimePoint kStart = TimePoint(1h);
}

TEST_CASE("Rate: observe counts in the current window", "[limits]") {
  Rate rate(1s, {}, kStart);
  CHECK(rate.observe("a", 1, kStart) == 1);
  CHECK(rate.observe("a", 2, kStart + 999ms) == 3);
  CHECK(rate.observe("b", 5, kStart + 999ms) == 5);
  CHECK(rate.observe("a", 1, kStart + 1000ms) == 1);
}

TEST_CASE("Rate: rate is of the previous window, per second", "[limits]") {
  Rate rate(500ms, {}, kStart);
  CHECK(rate.rate("a", kStart) == 0);
  rate.observe("a", 10, kStart);
  CHECK(rate.rate("a", kStart + 499ms) == 0);
  CHECK(rate.rate("a", kStart + 500ms) == 20);
  CHECK(rate.rate("b", kStart + 500ms) == 0);
  CHECK(rate.rate("a", kStart + 999ms) == 20);
  CHECK(rate.rate("a", kStart + 1000ms) == 0);
}

TEST_CASE("Rate: windows alternate", "[limits]") {
  Rate rate(1s, {}, kStart);
  for (int second = 0; second < 6; ++second) {
    CHECK(rate.rate("a", kStart + second * 1s) == (second == 0 ? 0 : second * 10));
    CHECK(rate.observe("a", (second + 1) * 10, kStart + second * 1s + 1ms) == (second + 1) * 10);
  }
}

TEST_CASE("Rate: nothing is left of windows after a pause", "[limits]") {
  for (auto pause : {2s, 3s, 10s, 3600s}) {
    Rate rate(1s, {}, kStart);
    rate.observe("a", 7, kStart);
    rate.observe("a", 7, kStart + 1s);
    TimePoint later = kStart + 1s + pause;
    CHECK(rate.rate("a", later) == 0);
    CHECK(rate.observe("a", 1, later) == 1);
  }
}

TEST_CASE("Rate: a clock that is behind counts in the current window", "[limits]") {
  Rate rate(1s, {}, kStart);
  rate.observe("a", 1, kStart + 5s);
  CHECK(rate.observe("a", 1, kStart + 2s) == 2);
  CHECK(rate.observe("a", 1, kStart - 2s) == 3);
  CHECK(rate.rate_with(
            "a", [](const RateComponents& parts) { return parts.current_fraction; }, kStart + 2s) ==
        0.0);
}

TEST_CASE("Rate: rate_with sees both windows and the time passed", "[limits]") {
  Rate rate(2s, {}, kStart);
  rate.observe("a", 8, kStart);
  rate.observe("a", 3, kStart + 2s);
  auto parts = rate.rate_with("a", [](const RateComponents& p) { return p; }, kStart + 2500ms);
  CHECK(parts.previous == 8);
  CHECK(parts.current == 3);
  CHECK(parts.interval == 2s);
  CHECK(parts.current_fraction == Approx(0.25));
  CHECK(rate.rate_with("a", proportional_rate, kStart + 2500ms) == Approx((8 * 0.75 + 3) / 2));
}

TEST_CASE("Rate: an interval of nothing is one of a millisecond", "[limits]") {
  Rate rate(0ms, {}, kStart);
  CHECK(rate.observe("a", 1, kStart) == 1);
  CHECK(rate.observe("a", 1, kStart + 1ms) == 1);
}

TEST_CASE("Rate: takes the time of the machine when none is given", "[limits]") {
  Rate rate(1h);
  CHECK(rate.observe("a") == 1);
  CHECK(rate.observe("a", 2) == 3);
  CHECK(rate.rate("a") == 0);
}

TEST_CASE("Rate: threads that share a window lose nothing", "[limits]") {
  Rate rate(1s, {}, kStart);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&rate] {
      for (int i = 0; i < 1000; ++i) rate.observe("a", 1, kStart);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(rate.rate("a", kStart + 1s) == 4000);
}

TEST_CASE("Rate: windows may end while many threads count", "[limits]") {
  Rate rate(1ms, {}, kStart);
  std::atomic<int> ms{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        TimePoint now = kStart + (i % 20 == 0 ? ++ms : ms.load()) * 1ms;
        rate.observe("a", 1, now);
        rate.rate_with("a", proportional_rate, now);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  TimePoint after = kStart + ms.load() * 1ms + 2ms;
  CHECK(rate.rate("a", after) == 0);
  CHECK(rate.observe("a", 1, after) == 1);
}
