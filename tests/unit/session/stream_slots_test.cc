// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/session/stream_slots.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

using namespace pingora;
using internal::StreamSlots;

TEST_CASE("StreamSlots: gives as many as the limit says, and again what came back", "[h2]") {
  StreamSlots slots(2);
  CHECK(slots.try_take());
  CHECK(slots.try_take());
  CHECK_FALSE(slots.try_take());
  CHECK_FALSE(slots.give_back());
  CHECK(slots.try_take());
  CHECK(slots.taken() == 2);
}

TEST_CASE("StreamSlots: a lower limit takes nothing away", "[h2]") {
  StreamSlots slots(3);
  REQUIRE((slots.try_take() && slots.try_take()));
  slots.set_limit(1);
  CHECK_FALSE(slots.try_take());
  slots.give_back();
  CHECK_FALSE(slots.try_take());
  slots.give_back();
  CHECK(slots.try_take());
  slots.set_limit(0);
  CHECK_FALSE(slots.try_take());
}

TEST_CASE("StreamSlots: closed, it gives none, and says when the last came back", "[h2]") {
  StreamSlots slots(3);
  REQUIRE((slots.try_take() && slots.try_take()));
  CHECK(slots.close());
  CHECK_FALSE(slots.close());
  CHECK_FALSE(slots.try_take());
  CHECK_FALSE(slots.give_back());
  CHECK(slots.give_back());
  CHECK(slots.is_closed());
}

TEST_CASE("StreamSlots: is closed for being idle only if it is, and was for long enough", "[h2]") {
  StreamSlots slots(3);
  REQUIRE(slots.try_take());
  CHECK_FALSE(slots.close_if_idle_since(kNever));
  slots.give_back();
  CHECK(slots.is_idle());
  CHECK_FALSE(slots.close_if_idle_since(slots.idle_since() - Duration(1)));
  CHECK(slots.try_take());
  slots.give_back();
  CHECK(slots.close_if_idle_since(slots.idle_since()));
  CHECK_FALSE(slots.try_take());
}

TEST_CASE("StreamSlots: from many threads, never more than the limit", "[h2]") {
  StreamSlots slots(3);
  std::atomic<int> inside{0};
  std::atomic<bool> was_over{false};
  auto work = [&] {
    for (int i = 0; i < 2000; ++i) {
      if (!slots.try_take()) continue;
      if (++inside > 3) was_over = true;
      --inside;
      slots.give_back();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  }
  CHECK_FALSE(was_over);
  CHECK(slots.is_idle());
}
