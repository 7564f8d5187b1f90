// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Each awaitable of the runtime, cancelled before it starts, while it waits, and when it is ready
// but not resumed yet. Those of net are in tests/unit/net.
#include <atomic>
#include <catch2/catch.hpp>
#include <latch>
#include <memory>
#include <string>

#include "pingora/runtime/async_mutex.h"
#include "pingora/runtime/channel.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/event.h"
#include "pingora/runtime/offload.h"
#include "pingora/runtime/shutdown_watch.h"
#include "pingora/runtime/task_group.h"
#include "pingora/runtime/timer.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

// What the awaitables wait for.
struct World {
  explicit World(Runtime& on) : runtime(on), group(on) {}
  Runtime& runtime;
  Event event;
  Event group_may_end;
  Channel<int> empty{1};
  Channel<int> full{1};
  AsyncMutex mutex;
  ShutdownWatch shutdown;
  std::shared_ptr<std::latch> offloaded = std::make_shared<std::latch>(1);
  TaskGroup group;
};

struct Awaitable {
  const char* name;
  Task<> (*wait)(World*);      // waits for something that does not come by itself
  void (*make_ready)(World*);  // makes it come, without waiting; null if that takes another thread
};

Task<> wait_for(Event* event) { co_await event->wait(); }

const Awaitable kAwaitables[] = {
    {"Event::wait", [](World* w) -> Task<> { co_await w->event.wait(); },
     [](World* w) { w->event.set(); }},
    {"ShutdownWatch::wait", [](World* w) -> Task<> { co_await w->shutdown.wait(); },
     [](World* w) { w->shutdown.begin_shutdown(); }},
    {"Channel::receive", [](World* w) -> Task<> { co_await w->empty.receive(); },
     [](World* w) { w->empty.try_send(1); }},
    {"Channel::send", [](World* w) -> Task<> { co_await w->full.send(2); },
     [](World* w) { w->full.try_receive(); }},
    {"AsyncMutex::lock", [](World* w) -> Task<> { auto guard = co_await w->mutex.lock(); },
     nullptr},
    {"sleep_for", [](World*) -> Task<> { co_await sleep_for(1h); }, nullptr},
    {"yield",
     [](World*) -> Task<> {
       for (;;) co_await yield();
     },
     [](World*) {}},
    {"offload",
     [](World* w) -> Task<> { co_await offload([latch = w->offloaded] { latch->wait(); }); },
     [](World* w) { w->offloaded->count_down(); }},
    {"TaskGroup::join", [](World* w) -> Task<> { co_await w->group.join(); },
     [](World* w) { w->group_may_end.set(); }},
    {"when_any",
     [](World* w) -> Task<> { co_await when_any(wait_for(&w->event), wait_for(&w->event)); },
     [](World* w) { w->event.set(); }},
    {"when_all",
     [](World* w) -> Task<> { co_await when_all(wait_for(&w->event), wait_for(&w->event)); },
     [](World* w) { w->event.set(); }},
};

struct CancellationFixture {
  Runtime runtime{RuntimeOptions{.threads = 2, .name = "test"}};
  CancellationFixture() { runtime.start(); }
};

Task<> nothing() { co_return; }
Task<> after_yields(int count) {
  for (int i = 0; i < count; ++i) co_await yield();
}
Task<> make_ready(World* world, const Awaitable* awaitable) {
  co_await yield();
  awaitable->make_ready(world);
}

// Runs `first` beside a wait, with the mutex held, the full channel full and a task in the group;
// returns which of the two was done first.
Task<std::size_t> beside(World* world, const Awaitable* awaitable, Task<> first, bool wait_first) {
  world->full.try_send(1);
  world->group.spawn(wait_for(&world->group_may_end));
  std::size_t winner = 0;
  {
    auto guard = co_await world->mutex.lock();
    if (wait_first) {
      winner = (co_await when_any(awaitable->wait(world), std::move(first))).index();
    } else {
      winner = (co_await when_any(std::move(first), awaitable->wait(world))).index();
    }
  }
  // The lock was not left with a waiter that is gone.
  auto guard = co_await world->mutex.lock();
  world->offloaded->try_wait() ? void() : world->offloaded->count_down();
  world->group_may_end.set();
  co_await world->group.join();
  co_return winner;
}

}  // namespace

TEST_CASE_METHOD(CancellationFixture, "Cancellation: an awaitable that has not started",
                 "[cancel]") {
  for (const Awaitable& awaitable : kAwaitables) {
    DYNAMIC_SECTION(awaitable.name) {
      World world(runtime);
      {
        Task<> dropped = awaitable.wait(&world);
      }
      auto winner = block_on(runtime, beside(&world, &awaitable, nothing(), /*wait_first=*/false));
      CHECK(*winner == 0);
    }
  }
}

TEST_CASE_METHOD(CancellationFixture, "Cancellation: an awaitable that waits", "[cancel]") {
  for (const Awaitable& awaitable : kAwaitables) {
    DYNAMIC_SECTION(awaitable.name) {
      World world(runtime);
      auto winner =
          block_on(runtime, beside(&world, &awaitable, after_yields(3), /*wait_first=*/true));
      CHECK(*winner == 1);
      // Nothing was taken from, or put into, a channel.
      CHECK(world.full.try_receive() == 1);
      CHECK_FALSE(world.full.try_receive());
      CHECK_FALSE(world.empty.try_receive());
    }
  }
}

TEST_CASE_METHOD(CancellationFixture, "Cancellation: an awaitable that is ready, not yet resumed",
                 "[cancel]") {
  for (const Awaitable& awaitable : kAwaitables) {
    if (awaitable.make_ready == nullptr) continue;
    DYNAMIC_SECTION(awaitable.name) {
      World world(runtime);
      auto winner = block_on(runtime, beside(&world, &awaitable, make_ready(&world, &awaitable),
                                             /*wait_first=*/true));
      REQUIRE(winner);
      bool took_value = *winner == 0;
      if (awaitable.name == std::string("Channel::receive") && !took_value) {
        CHECK(world.empty.try_receive() == 1);
      }
    }
  }
}

TEST_CASE_METHOD(CancellationFixture,
                 "Cancellation: a lock that was given and not taken is passed "
                 "on",
                 "[cancel]") {
  auto scenario = [](AsyncMutex* mutex) -> Task<bool> {
    std::optional<AsyncMutex::Guard> held(co_await mutex->lock());
    auto lock = [](AsyncMutex* m) -> Task<> { auto guard = co_await m->lock(); };
    auto give_and_end = [](std::optional<AsyncMutex::Guard>* guard) -> Task<> {
      guard->reset();
      co_return;
    };
    auto first = co_await when_any(lock(mutex), give_and_end(&held));
    auto again = co_await mutex->lock();
    co_return first.index() == 1;
  };
  AsyncMutex mutex;
  CHECK(*block_on(runtime, scenario(&mutex)));
}

TEST_CASE_METHOD(CancellationFixture, "Cancellation: a receive that was woken passes the value on",
                 "[cancel]") {
  auto scenario = [](Channel<int>* channel) -> Task<int> {
    auto receive = [](Channel<int>* from) -> Task<int> {
      auto value = co_await from->receive();
      co_return value.value_or(-1);
    };
    auto send_and_end = [](Channel<int>* to) -> Task<> {
      to->try_send(7);
      co_return;
    };
    auto both = co_await when_any(receive(channel), send_and_end(channel));
    if (both.index() != 1) co_return -2;
    co_return co_await receive(channel);
  };
  Channel<int> channel(1);
  CHECK(*block_on(runtime, scenario(&channel)) == 7);
}

TEST_CASE_METHOD(CancellationFixture, "Cancellation: against a wake-up from another thread",
                 "[cancel]") {
  // Whichever comes first, nothing is lost or run twice; the sanitizers look on.
  World world(runtime);
  std::atomic<bool> is_over{false};
  auto wake = [](World* w, std::atomic<bool>* over) -> Task<> {
    while (!over->load()) {
      w->event.set();
      w->event.reset();
      w->empty.try_send(1);
      w->full.try_receive();
      auto guard = co_await w->mutex.lock();
      co_await yield();
    }
  };
  auto wait = [](World* w, std::atomic<bool>* over) -> Task<> {
    for (int i = 0; i < 500; ++i) {
      co_await when_any(kAwaitables[i % 5].wait(w), after_yields(i % 4));
    }
    over->store(true);
  };
  TaskGroup group(runtime);
  group.spawn_on(runtime.worker(0), wake(&world, &is_over));
  group.spawn_on(runtime.worker(1), wait(&world, &is_over));
  group.join_blocking();
}

TEST_CASE_METHOD(CancellationFixture, "TaskGroup: a task spawned behind cancel never starts",
                 "[cancel]") {
  TaskGroup group(runtime);
  group.cancel();
  bool has_started = false;
  auto start = [](bool* started) -> Task<> {
    *started = true;
    co_return;
  };
  group.spawn(start(&has_started));
  group.spawn_on(runtime.worker(0), start(&has_started), TaskGroup::Start::AtOnce);
  group.join_blocking();
  CHECK_FALSE(has_started);
}

TEST_CASE_METHOD(CancellationFixture, "offload: a function whose awaiter is gone runs to its end",
                 "[cancel]") {
  auto may_run = std::make_shared<std::latch>(1);
  auto has_run = std::make_shared<std::latch>(1);
  auto work = [](std::shared_ptr<std::latch> may, std::shared_ptr<std::latch> has) -> Task<> {
    co_await offload([may, has] {
      may->wait();
      has->count_down();
    });
  };
  CHECK(block_on(runtime, when_any(work(may_run, has_run), after_yields(2)))->index() == 1);
  may_run->count_down();
  has_run->wait();
}
