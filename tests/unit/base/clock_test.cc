// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/clock.h"

#include <catch2/catch.hpp>

using pingora::Clock;
using pingora::coarse_now;
using pingora::TimePoint;

TEST_CASE("Clock: coarse time is never ahead of the exact one and never goes back", "[clock]") {
  TimePoint before{};
  for (int i = 0; i < 1000; ++i) {
    TimePoint coarse = coarse_now();
    CHECK(coarse <= Clock::now());
    CHECK(coarse >= before);
    before = coarse;
  }
}

TEST_CASE("Clock: no deadline is later than any time", "[clock]") {
  CHECK(pingora::kNever > Clock::now());
}
