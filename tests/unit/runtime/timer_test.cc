// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/timer.h"

#include <catch2/catch.hpp>
#include <memory>
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

struct LogDeadline : Deadline {
  LogDeadline(std::string* into, char as)
      : Deadline([](Deadline& deadline) {
          auto& self = static_cast<LogDeadline&>(deadline);
          *self.log += self.name;
          self.has_struck.set();
        }),
        log(into),
        name(as) {}
  std::string* log;
  char name;
  Event has_struck;
};

}  // namespace

TEST_CASE_METHOD(TimerFixture, "Deadline: strikes once, and is lifted then", "[timer]") {
  auto scenario = [](std::string* log) -> Task<bool> {
    LogDeadline deadline(log, 'a');
    deadline.set(co_await current_strand(), Clock::now() + 1ms);
    co_await deadline.has_struck.wait();
    co_return deadline.is_set();
  };
  std::string log;
  CHECK_FALSE(*block_on(runtime, scenario(&log)));
  CHECK(log == "a");
}

TEST_CASE_METHOD(TimerFixture, "Deadline: can be moved, lifted and set again", "[timer]") {
  // The wheel keeps order: what was to strike before the last one has done so by then.
  auto scenario = [](std::string* log) -> Task<> {
    Strand& strand = co_await current_strand();
    TimePoint now = Clock::now();
    LogDeadline earlier(log, 'e');
    LogDeadline later(log, 'l');
    LogDeadline lifted(log, 'x');
    LogDeadline again(log, 'g');
    LogDeadline last(log, 'z');
    earlier.set(strand, now + 1h);
    earlier.set(strand, now + 8ms);
    later.set(strand, now + 4ms);
    later.set(strand, now + 30ms);
    lifted.set(strand, now + 4ms);
    lifted.lift();
    again.set(strand, now + 4ms);
    again.set(strand, kNever);
    again.set(strand, now + 50ms);
    last.set(strand, now + 80ms);
    co_await last.has_struck.wait();
  };
  std::string log;
  CHECK(block_on(runtime, scenario(&log)));
  CHECK(log == "elgz");
}

TEST_CASE_METHOD(TimerFixture, "Deadline: one that strikes may destroy others", "[timer]") {
  struct Killer : Deadline {
    explicit Killer(std::unique_ptr<LogDeadline>* other)
        : Deadline([](Deadline& deadline) { static_cast<Killer&>(deadline).victim->reset(); }),
          victim(other) {}
    std::unique_ptr<LogDeadline>* victim;
  };
  auto scenario = [](std::string* log) -> Task<> {
    Strand& strand = co_await current_strand();
    TimePoint now = Clock::now();
    auto victim = std::make_unique<LogDeadline>(log, 'v');
    Killer killer(&victim);
    LogDeadline last(log, 'z');
    killer.set(strand, now + 1ms);
    victim->set(strand, now + 1ms);
    last.set(strand, now + 20ms);
    co_await last.has_struck.wait();
  };
  std::string log;
  CHECK(block_on(runtime, scenario(&log)));
  CHECK(log == "z");
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
