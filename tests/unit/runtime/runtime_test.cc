// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/runtime.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "pingora/runtime/combinators.h"
#include "pingora/runtime/descriptor.h"
#include "pingora/runtime/event.h"
#include "pingora/runtime/task_group.h"
#include "pingora/runtime/timer.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

// What happened, in order, from several threads.
class Log {
 public:
  void add(char event) {
    std::lock_guard lock(mutex_);
    events_ += event;
  }
  std::string text() {
    std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  std::mutex mutex_;
  std::string events_;
};

// A handler that is stuck: blocks its thread until `until` is open.
Task<> stuck(Log* log, std::latch* is_stuck, std::latch* until) {
  log->add('[');
  is_stuck->count_down();
  until->wait();
  log->add(']');
  co_return;
}

Task<> quick(Log* log, char name, std::latch* done) {
  co_await yield();
  log->add(name);
  done->count_down();
}

RuntimeOptions one_worker(bool work_stealing) {
  return {.threads = 1,
          .work_stealing = work_stealing,
          .monitor_period = std::chrono::microseconds(200),
          .name = "test"};
}

}  // namespace

TEST_CASE("Monitor: while a handler is stuck, the others of its worker proceed", "[monitor]") {
  Runtime runtime(one_worker(/*work_stealing=*/true));
  runtime.start();
  TaskGroup group(runtime);
  for (int round = 0; round < 3; ++round) {
    Log log;
    std::latch is_stuck(1);
    std::latch others_done(2);
    group.spawn(stuck(&log, &is_stuck, &others_done));
    is_stuck.wait();
    group.spawn(quick(&log, 'q', &others_done));
    group.spawn(quick(&log, 'q', &others_done));
    group.join_blocking();
    CHECK(log.text() == "[qq]");
  }
  // At least once: a helper that lingers may take the next stuck handler from the worker.
  CHECK(runtime.helped_count() >= 1);
}

TEST_CASE("Monitor: without work stealing they wait", "[monitor]") {
  Runtime runtime(one_worker(/*work_stealing=*/false));
  runtime.start();
  TaskGroup group(runtime);
  Log log;
  std::latch is_stuck(1);
  std::latch may_go_on(1);
  std::latch others_done(1);
  group.spawn(stuck(&log, &is_stuck, &may_go_on));
  is_stuck.wait();
  group.spawn(quick(&log, 'q', &others_done));
  CHECK_FALSE(others_done.try_wait());
  may_go_on.count_down();
  group.join_blocking();
  CHECK(log.text() == "[]q");
  CHECK(runtime.helped_count() == 0);
}

TEST_CASE("Monitor: a helper that gets stuck itself is helped too", "[monitor]") {
  Runtime runtime(one_worker(/*work_stealing=*/true));
  runtime.start();
  TaskGroup group(runtime);
  Log log;
  std::latch first_stuck(1);
  std::latch second_stuck(1);
  std::latch done(1);
  group.spawn(stuck(&log, &first_stuck, &done));
  first_stuck.wait();
  group.spawn(stuck(&log, &second_stuck, &done));
  second_stuck.wait();
  group.spawn(quick(&log, 'q', &done));
  group.join_blocking();
  CHECK(log.text() == "[[q]]");
}

TEST_CASE("Monitor: a strand is not run twice at a time by helpers", "[monitor]") {
  // One connection is stuck; what is posted to its own strand waits for it.
  Runtime runtime(one_worker(/*work_stealing=*/true));
  runtime.start();
  TaskGroup group(runtime);
  Log log;
  std::latch is_stuck(1);
  std::latch other_done(1);
  Event poke;
  auto own = [](Log* to, Event* event) -> Task<> {
    co_await event->wait();
    to->add('o');
  };
  auto both = [](Task<> a, Task<> b) -> Task<> { co_await when_all(std::move(a), std::move(b)); };
  group.spawn(both(own(&log, &poke), stuck(&log, &is_stuck, &other_done)));
  is_stuck.wait();
  poke.set();
  group.spawn(quick(&log, 'q', &other_done));
  group.join_blocking();
  CHECK(log.text() == "[q]o");
}

TEST_CASE("Monitor: timers and descriptors of a stuck worker go on", "[monitor]") {
  Runtime runtime(one_worker(/*work_stealing=*/true));
  runtime.start();
  TaskGroup group(runtime);
  std::array<int, 2> fds{};
  REQUIRE(::pipe2(fds.data(), O_NONBLOCK | O_CLOEXEC) == 0);
  auto watched = std::make_unique<Descriptor>(runtime.worker(0), fds[0]);
  struct Readable {
    using ValueType = void;
    bool start(Completion& to) {
      completion = &to;
      descriptor->start_wait(Direction::Read, to.strand(), to);
      return false;
    }
    void cancel() { descriptor->cancel_wait(Direction::Read, completion->strand(), *completion); }
    Result<void> take_result() { return {}; }
    Descriptor* descriptor;
    Completion* completion = nullptr;
  };
  auto wait_readable = [](Descriptor* descriptor, std::latch* done) -> Task<> {
    co_await Readable{descriptor};
    done->count_down();
  };
  auto nap = [](std::latch* done) -> Task<> {
    co_await sleep_for(5ms);
    done->count_down();
  };
  Log log;
  std::latch is_stuck(1);
  std::latch others_done(2);
  group.spawn(wait_readable(watched.get(), &others_done));
  group.spawn(nap(&others_done));
  group.spawn(stuck(&log, &is_stuck, &others_done));
  is_stuck.wait();
  REQUIRE(::write(fds[1], "x", 1) == 1);
  group.join_blocking();
  CHECK(log.text() == "[]");
  ::close(fds[1]);
}

TEST_CASE("Runtime: new tasks go to the least loaded worker", "[runtime]") {
  Runtime runtime(RuntimeOptions{.threads = 4, .name = "test"});
  runtime.start();
  TaskGroup group(runtime);
  std::array<Event, 4> may_end;
  std::array<std::atomic<int>, 4> running{};
  auto hold = [](std::array<Event, 4>* end, std::array<std::atomic<int>, 4>* count) -> Task<> {
    std::size_t index = (co_await current_strand()).worker().index();
    ++(*count)[index];
    co_await (*end)[index].wait();
    --(*count)[index];
  };
  for (int i = 0; i < 12; ++i) group.spawn(hold(&may_end, &running));
  for (std::size_t i = 0; i < 4; ++i) CHECK(runtime.worker(i).load() == 3);
  may_end[2].set();
  while (runtime.worker(2).load() != 0) std::this_thread::yield();
  may_end[2].reset();
  for (int i = 0; i < 3; ++i) group.spawn(hold(&may_end, &running));
  CHECK(runtime.worker(2).load() == 3);
  for (Event& event : may_end) event.set();
  group.join_blocking();
  for (std::size_t i = 0; i < 4; ++i) CHECK(runtime.worker(i).load() == 0);
}

TEST_CASE("Runtime: among equals, workers take turns", "[runtime]") {
  Runtime runtime(RuntimeOptions{.threads = 3, .name = "test"});
  std::vector<std::size_t> chosen;
  for (int i = 0; i < 6; ++i) chosen.push_back(runtime.least_loaded_worker().index());
  CHECK(chosen == std::vector<std::size_t>{0, 1, 2, 0, 1, 2});
}

TEST_CASE("Runtime: stops twice, and without having started", "[runtime]") {
  Runtime never_started(RuntimeOptions{.threads = 1});
  never_started.stop();
  Runtime runtime(RuntimeOptions{.threads = 1, .name = "test"});
  runtime.start();
  runtime.stop();
  runtime.stop();
}

TEST_CASE("Runtime: as many workers as usable cores by default", "[runtime]") {
  Runtime runtime;
  CHECK(runtime.worker_count() == Runtime::usable_cores());
}
