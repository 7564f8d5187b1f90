// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/timer.h"

#include <catch2/catch.hpp>
#include <string>

#include "pingora/runtime/event.h"
#include "pingora/runtime/task_group.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

struct TimerFixture {
  Runtime runtime{RuntimeOptions{.threads = 1, .name = "test"}};
  TimerFixture() { runtime.start(); }
};

struct LogTimer : DeadlineTimer {
  LogTimer(std::string* into, char as)
      : DeadlineTimer([](DeadlineTimer& timer) {
          auto& self = static_cast<LogTimer&>(timer);
          *self.log += self.name;
          self.has_fired.set();
        }),
        log(into),
        name(as) {}
  std::string* log;
  char name;
  Event has_fired;
};

}  // namespace

TEST_CASE_METHOD(TimerFixture, "DeadlineTimer: strikes once, disarmed", "[timer]") {
  auto scenario = [](std::string* log) -> Task<TimePoint> {
    LogTimer timer(log, 'a');
    timer.arm(co_await current_strand(), Clock::now() + 1ms);
    co_await timer.has_fired.wait();
    co_return timer.deadline();
  };
  std::string log;
  CHECK(*block_on(runtime, scenario(&log)) == kNever);
  CHECK(log == "a");
}

TEST_CASE_METHOD(TimerFixture, "DeadlineTimer: can be moved, lifted and set again", "[timer]") {
  // The wheel keeps order: what was to strike before the last one has done so by then.
  auto scenario = [](std::string* log) -> Task<> {
    Strand& strand = co_await current_strand();
    TimePoint now = Clock::now();
    LogTimer earlier(log, 'e');
    LogTimer later(log, 'l');
    LogTimer lifted(log, 'x');
    LogTimer again(log, 'g');
    LogTimer last(log, 'z');
    earlier.arm(strand, now + 1h);
    earlier.arm(strand, now + 8ms);
    later.arm(strand, now + 4ms);
    later.arm(strand, now + 30ms);
    lifted.arm(strand, now + 4ms);
    lifted.disarm();
    again.arm(strand, now + 4ms);
    again.arm(strand, kNever);
    again.arm(strand, now + 50ms);
    last.arm(strand, now + 80ms);
    co_await last.has_fired.wait();
  };
  std::string log;
  CHECK(block_on(runtime, scenario(&log)));
  CHECK(log == "elgz");
}

TEST_CASE_METHOD(TimerFixture, "DeadlineTimer: may outlive its strand, and go on in another one",
                 "[timer]") {
  auto arm = [](LogTimer* timer, Duration delay) -> Task<> {
    timer->arm(co_await current_strand(), Clock::now() + delay);
    timer->disarm();
    co_return;
  };
  auto arm_and_wait = [](LogTimer* timer) -> Task<> {
    timer->arm(co_await current_strand(), Clock::now() + 1ms);
    co_await timer->has_fired.wait();
  };
  std::string log;
  LogTimer timer(&log, 'a');
  CHECK(block_on(runtime, arm(&timer, 1h)));
  CHECK(block_on(runtime, arm_and_wait(&timer)));
  CHECK(log == "a");
  CHECK(block_on(runtime, arm(&timer, 1h)));
}

TEST_CASE_METHOD(TimerFixture, "sleep_for: ends in the order of the times; zero does not suspend",
                 "[timer]") {
  auto nap = [](std::string* log, char name, Duration time) -> Task<> {
    co_await sleep_for(time);
    *log += name;
  };
  std::string log;
  TaskGroup group(runtime);
  group.spawn(nap(&log, 'c', 400ms));
  group.spawn(nap(&log, 'b', 30ms));
  group.spawn(nap(&log, 'a', 0ms));
  group.join_blocking();
  CHECK(log == "abc");
}
