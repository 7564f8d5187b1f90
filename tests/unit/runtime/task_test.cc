// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/task.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>

#include "pingora/runtime/async_mutex.h"
#include "pingora/runtime/channel.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/event.h"
#include "pingora/runtime/offload.h"
#include "pingora/runtime/task_group.h"
#include "pingora/runtime/timer.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  Runtime runtime{RuntimeOptions{.threads = 2, .name = "test"}};
  Fixture() { runtime.start(); }
};

struct Tracker {
  explicit Tracker(std::string* log, char c) : log_(log), c_(c) {}
  ~Tracker() { *log_ += c_; }
  std::string* log_;
  char c_;
};

Task<int> ready_value() { return 7; }
Task<int> ready_error() { return Error::explain(ErrorType::ReadError, "ready"); }
Task<int> add_one(Task<int> task) { co_return 1 + co_await std::move(task); }
Task<int> tracked(std::string* log, Task<int> task) {
  Tracker a(log, 'a');
  int v = co_await add_one(std::move(task));
  *log += 'v';
  co_return v;
}
Task<> throws() {
  co_await yield();
  throw std::runtime_error("boom");
}
Task<int> waits_for(Event* event, std::string* log) {
  Tracker t(log, 'x');
  co_await event->wait();
  co_return 3;
}

}  // namespace

TEST_CASE("Task: a ready value needs no coroutine", "[task]") {
  auto task = ready_value();
  REQUIRE(task.is_ready());
  CHECK(*std::move(task).take_ready() == 7);
}

TEST_CASE_METHOD(Fixture, "Task: values pass through awaiting coroutines", "[task]") {
  CHECK(*block_on(runtime, add_one(add_one(ready_value()))) == 9);
}

TEST_CASE_METHOD(Fixture, "Task: an error passes up, and frames in between are destroyed",
                 "[task]") {
  std::string log;
  auto result = block_on(runtime, tracked(&log, ready_error()));
  REQUIRE(!result);
  CHECK(result.error().type() == ErrorType::ReadError);
  CHECK(log == "a");
}

TEST_CASE_METHOD(Fixture, "Task: an exception becomes an InternalError", "[task]") {
  auto result = block_on(runtime, throws());
  REQUIRE(!result);
  CHECK(result.error().type() == ErrorType::InternalError);
  CHECK(result.error().context() == "exception: boom");
}

TEST_CASE_METHOD(Fixture, "when_any: cancels and destroys the loser", "[task]") {
  Event never;
  Event now;
  now.set();
  std::string log;
  auto result = block_on(runtime, when_any(waits_for(&never, &log), waits_for(&now, &log)));
  REQUIRE(result);
  CHECK(result->index() == 1);
  CHECK(log == "xx");
}

TEST_CASE_METHOD(Fixture, "when_all: gives all values, or the first error", "[task]") {
  auto both = block_on(runtime, when_all(ready_value(), add_one(ready_value())));
  REQUIRE(both);
  CHECK(*both == std::tuple(7, 8));
  Event never;
  std::string log;
  auto failed = block_on(runtime, when_all(waits_for(&never, &log), add_one(ready_error())));
  REQUIRE(!failed);
  CHECK(log == "x");
}

TEST_CASE_METHOD(Fixture, "sleep_for: ends, and can be cancelled", "[task]") {
  auto nap = [](Duration d) -> Task<> { co_await sleep_for(d); };
  auto result = block_on(runtime, when_any(nap(1h), nap(1ms)));
  REQUIRE(result);
  CHECK(result->index() == 1);
}

TEST_CASE_METHOD(Fixture, "offload: gives the function's result on another thread", "[task]") {
  auto work = []() -> Task<int> { co_return co_await offload([] { return 5; }); };
  CHECK(*block_on(runtime, work()) == 5);
}

TEST_CASE("offload: runs as many functions at once as there may be threads", "[task]") {
  Runtime runtime{RuntimeOptions{.threads = 1, .blocking_threads_max = 2}};
  runtime.start();
  TaskGroup group(runtime);
  std::latch both(2);
  auto meet = [](std::latch* others) -> Task<> {
    co_await offload([others] { others->arrive_and_wait(); });
  };
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  auto count = [](std::atomic<int>* now, std::atomic<int>* highest) -> Task<> {
    co_await offload([now, highest] {
      int mine = ++*now;
      int seen = *highest;
      while (seen < mine && !highest->compare_exchange_weak(seen, mine)) {
      }
      std::this_thread::yield();
      --*now;
    });
  };
  group.spawn(meet(&both));
  group.spawn(meet(&both));
  for (int i = 0; i < 100; ++i) group.spawn(count(&running, &most));
  group.join_blocking();
  CHECK(most >= 1);
  CHECK(most <= 2);
}

TEST_CASE_METHOD(Fixture, "Channel: passes values in order between strands", "[task]") {
  Channel<int> channel(2);
  TaskGroup group(runtime);
  auto produce = [](Channel<int>* to) -> Task<> {
    for (int i = 0; i < 1000; ++i) co_await to->send(i);
    to->close();
  };
  auto consume = [](Channel<int>* from) -> Task<int> {
    int expected = 0;
    while (auto value = co_await from->receive()) {
      if (*value != expected++) co_return -1;
    }
    co_return expected;
  };
  group.spawn(produce(&channel));
  CHECK(*block_on(runtime, consume(&channel)) == 1000);
  group.join_blocking();
}

TEST_CASE_METHOD(Fixture, "AsyncMutex: one holder at a time across strands", "[task]") {
  AsyncMutex mutex;
  int inside = 0;
  int worst = 0;
  TaskGroup group(runtime);
  auto enter = [](AsyncMutex* m, int* in, int* max) -> Task<> {
    for (int i = 0; i < 100; ++i) {
      auto guard = co_await m->lock();
      *max = std::max(*max, ++*in);
      co_await yield();
      --*in;
    }
  };
  for (int i = 0; i < 8; ++i) group.spawn(enter(&mutex, &inside, &worst));
  group.join_blocking();
  CHECK(worst == 1);
}

TEST_CASE_METHOD(Fixture, "TaskGroup: cancel ends tasks that wait", "[task]") {
  Event never;
  auto wait = [](Event* event) -> Task<> { co_await event->wait(); };
  TaskGroup group(runtime);
  for (int i = 0; i < 50; ++i) group.spawn(wait(&never));
  group.cancel();
  group.join_blocking();
  CHECK(group.size() == 0);
}
