// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/timer_wheel.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>
#include <random>
#include <vector>

#include "pingora/runtime/runtime.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

// A wheel driven by a manual clock. The runtime is never started: what fires is queued on a worker
// whose queue is run here.
struct WheelFixture {
  struct Timer : Job {
    Timer(int of, std::vector<int>* into)
        : Job([](Job& job) {
            auto& self = static_cast<Timer&>(job);
            self.fired->push_back(self.id);
          }),
          id(of),
          fired(into) {}
    int id;
    std::vector<int>* fired;
    TimerNode node;
  };

  ~WheelFixture() {
    run_queue();
    for (Timer& timer : timers) wheel.remove(timer.node);
  }

  Timer& make() { return timers.emplace_back(static_cast<int>(timers.size()), &fired); }
  bool insert(Timer& timer, Duration from_start) {
    return wheel.insert(timer.node, start + from_start, *strand, timer);
  }
  Timer& add(Duration from_start) {
    Timer& timer = make();
    insert(timer, from_start);
    return timer;
  }
  // Advances to `from_start` and gives the timers that fired, in order.
  std::vector<int> advance(Duration from_start) {
    wheel.advance(start + from_start);
    run_queue();
    return std::exchange(fired, {});
  }
  void run_queue() {
    runtime.worker(0).io_context().restart();
    runtime.worker(0).io_context().poll();
  }

  Runtime runtime{RuntimeOptions{.threads = 1, .work_stealing = false, .name = "test"}};
  StrandRef strand = StrandRef::make(runtime.worker(0));
  const TimePoint start = TimePoint(1000h);
  TimerWheel wheel{start};
  std::vector<int> fired;
  std::deque<Timer> timers;
};

using Ids = std::vector<int>;

}  // namespace

TEST_CASE_METHOD(WheelFixture, "TimerWheel: fires up to one tick late and never early", "[timer]") {
  add(10ms);
  CHECK(advance(9ms).empty());
  CHECK(advance(10ms).empty());  // between two ticks
  CHECK(advance(12ms) == Ids{0});
  CHECK(advance(1h).empty());
}

TEST_CASE_METHOD(WheelFixture, "TimerWheel: a time on a tick is exact; one that has passed is next",
                 "[timer]") {
  add(8ms);
  add(0ms);
  CHECK(advance(3ms).empty());
  CHECK(advance(4ms) == Ids{1});
  CHECK(advance(7ms).empty());
  CHECK(advance(8ms) == Ids{0});
  advance(1s);
  add(500ms);
  CHECK(advance(1003ms).empty());
  CHECK(advance(1004ms) == Ids{2});
}

TEST_CASE_METHOD(WheelFixture, "TimerWheel: timers of all levels come down and fire in their tick",
                 "[timer]") {
  // One before, at and behind each boundary of a level: 64, 64^2, 64^3 ticks.
  std::vector<Duration> times;
  for (std::int64_t ticks : {64, 64 * 64, 64 * 64 * 64}) {
    for (std::int64_t offset : {-1, 0, 1}) times.push_back((ticks + offset) * TimerWheel::kTick);
  }
  for (Duration begin : {Duration(0), Duration(10 * TimerWheel::kTick), Duration(333ms)}) {
    fired.clear();
    WheelFixture other;
    other.advance(begin);
    for (Duration time : times) other.add(begin + time);
    for (std::size_t i = 0; i < times.size(); ++i) {
      INFO("timer " << i);
      CHECK(other.advance(begin + times[i] - 1ms).empty());
      CHECK(other.advance(begin + times[i] + TimerWheel::kTick - 1ns) == Ids{static_cast<int>(i)});
    }
  }
}

TEST_CASE_METHOD(WheelFixture, "TimerWheel: one advance over everything fires all in order",
                 "[timer]") {
  for (Duration time :
       {Duration(5h), Duration(3ms), Duration(20min), Duration(1s), Duration(70s)}) {
    add(time);
  }
  CHECK(advance(6h) == Ids{1, 3, 4, 2, 0});
  CHECK(wheel.next_advance() == kNever);
}

TEST_CASE_METHOD(WheelFixture, "TimerWheel: a time beyond the range is cut to the range",
                 "[timer]") {
  add(1000h);
  CHECK(advance(18h).empty());
  CHECK(advance(19h) == Ids{0});
}

TEST_CASE_METHOD(WheelFixture, "TimerWheel: a node that is removed or moved fires only there",
                 "[timer]") {
  Timer& removed = add(20ms);
  Timer& later = add(20ms);
  Timer& earlier = add(20min);
  CHECK(removed.node.expiry() == start + 20ms);
  wheel.remove(removed.node);
  wheel.remove(removed.node);
  CHECK(removed.node.expiry() == kNever);
  insert(later, 100ms);
  insert(earlier, 40ms);
  CHECK(advance(30ms).empty());
  CHECK(advance(40ms) == Ids{2});
  CHECK(advance(100ms) == Ids{1});
  CHECK(later.node.expiry() == kNever);
  insert(later, 200ms);
  CHECK(advance(200ms) == Ids{1});
}

TEST_CASE_METHOD(WheelFixture, "TimerWheel: says when it has to be advanced, and when earlier",
                 "[timer]") {
  CHECK(wheel.next_advance() == kNever);
  Timer& first = make();
  Timer& second = make();
  Timer& third = make();
  CHECK(insert(first, 100ms));
  CHECK(wheel.next_advance() == start + 100ms);
  CHECK_FALSE(insert(second, 120ms));
  CHECK(insert(third, 40ms));
  CHECK(wheel.next_advance() == start + 40ms);
  CHECK(advance(40ms) == Ids{2});
  CHECK(wheel.next_advance() == start + 100ms);
  CHECK(advance(120ms) == Ids{0, 1});
  CHECK(wheel.next_advance() == kNever);
}

TEST_CASE_METHOD(WheelFixture, "TimerWheel: driven by next_advance, each fires in its own tick",
                 "[timer]") {
  std::vector<Duration> times{7ms, 300ms, 16s + 3ms, 17min, 3h};
  for (Duration time : times) add(time);
  std::size_t steps = 0;
  std::size_t next = 0;
  while (wheel.next_advance() != kNever) {
    REQUIRE(++steps < 100);
    Duration now = wheel.next_advance() - start;
    for (int id : advance(now)) {
      CHECK(static_cast<std::size_t>(id) == next);
      CHECK(now >= times[next]);
      CHECK(now < times[next] + TimerWheel::kTick);
      ++next;
    }
  }
  CHECK(next == times.size());
}

TEST_CASE_METHOD(WheelFixture, "TimerWheel: does what a sorted list would do", "[timer]") {
  std::mt19937 random(GENERATE(1U, 2U, 3U, 4U, 5U));
  constexpr std::int64_t kNone = -1;
  std::vector<std::int64_t> due;  // of each timer, in ticks; the model
  for (int i = 0; i < 200; ++i) {
    make();
    due.push_back(kNone);
  }
  std::int64_t now_ns = 0;
  auto tick_of = [](std::int64_t ns) { return ns / Duration(TimerWheel::kTick).count(); };
  for (int step = 0; step < 3000; ++step) {
    std::size_t which = random() % timers.size();
    // Delays of every magnitude, from nanoseconds to three hours.
    auto delay = static_cast<std::int64_t>(std::uint64_t{random()} << (random() % 13));
    switch (random() % 4) {
      case 0:
      case 1: {
        insert(timers[which], Duration(now_ns + delay));
        std::int64_t up = now_ns + delay + Duration(TimerWheel::kTick).count() - 1;
        due[which] = std::max(tick_of(up), tick_of(now_ns) + 1);
        break;
      }
      case 2:
        wheel.remove(timers[which].node);
        due[which] = kNone;
        break;
      default: {
        now_ns += delay >> (random() % 8);
        Ids expected;
        for (std::size_t i = 0; i < due.size(); ++i) {
          if (due[i] != kNone && due[i] <= tick_of(now_ns)) expected.push_back(static_cast<int>(i));
        }
        Ids got = advance(Duration(now_ns));
        auto by_due = [&due](int a, int b) { return due[a] < due[b]; };
        REQUIRE(std::is_sorted(got.begin(), got.end(), by_due));
        std::sort(got.begin(), got.end());
        REQUIRE(got == expected);
        for (int id : expected) due[id] = kNone;
      }
    }
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    for (std::int64_t tick : due) {
      if (tick != kNone) first = std::min(first, tick);
    }
    if (first == std::numeric_limits<std::int64_t>::max()) continue;
    REQUIRE(wheel.next_advance() <= start + first * TimerWheel::kTick);
    REQUIRE(wheel.next_advance() > start + Duration(now_ns));
  }
}
