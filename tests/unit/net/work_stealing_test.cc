// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Connections of a worker that is stuck again and again: its helpers run them meanwhile. What this
// finds, it finds under the thread sanitizer.
#include <catch2/catch.hpp>
#include <chrono>
#include <latch>
#include <string>

#include "net_fixture.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/event.h"
#include "pingora/runtime/timer.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

Task<> serve(std::unique_ptr<Stream> stream) {
  Buffer buffer;
  while (co_await stream->read(buffer, Clock::now() + 1min) != 0) {
    co_await stream->write({buffer.view()}, Clock::now() + 1min);
    buffer.consume(buffer.size());
  }
}

// Sends messages of growing size and wants each of them back.
Task<> ask(std::unique_ptr<Stream> stream, int rounds) {
  Buffer buffer;
  for (int i = 1; i <= rounds; ++i) {
    std::string message(static_cast<std::size_t>(i) * 700, static_cast<char>('a' + i % 26));
    co_await stream->write({message}, Clock::now() + 1min);
    while (buffer.size() < message.size()) {
      if (co_await stream->read(buffer, Clock::now() + 1min) == 0) {
        co_await Error::internal("the echo ended");
      }
    }
    if (buffer.view() != message) co_await Error::internal("not what was sent");
    buffer.consume(buffer.size());
  }
}

}  // namespace

TEST_CASE("Work stealing: connections of a stuck worker lose nothing", "[net]") {
  constexpr int kConnections = 6;
  constexpr int kRounds = 30;
  Runtime runtime(RuntimeOptions{.threads = 1, .monitor_period = 100us, .name = "test"});
  runtime.start();
  TaskGroup servers(runtime);
  std::latch done(kConnections);
  std::atomic<int> failures{0};
  auto accept_all = [](Listener* listener, TaskGroup* group) -> Task<> {
    Worker& worker = (co_await current_strand()).worker();
    listener->start(worker);
    for (int i = 0; i < kConnections; ++i) {
      Accepted accepted = co_await listener->accept();
      group->spawn(serve(
          std::make_unique<SocketStream>(worker, accepted.fd.release(), std::move(accepted.peer))));
    }
  };
  auto connect_and_ask = [](SocketAddress to, std::latch* end, std::atomic<int>* failed) -> Task<> {
    ConnectOptions options{.deadline = Clock::now() + 1min};
    auto result = co_await connect(std::move(to), options).as_result();
    if (!result || !co_await ask(std::move(*result), kRounds).as_result()) ++*failed;
    end->count_down();
  };
  // Holds the thread for as long as a monitor needs to see it, until all is done.
  auto get_stuck = [](std::latch* until) -> Task<> {
    while (!until->try_wait()) {
      TimePoint end = Clock::now() + 1ms;
      while (Clock::now() < end) {
      }
      co_await sleep_for(1ms);
    }
  };
  auto listener = Listener::bind(NetFixture::loopback());
  REQUIRE(listener);
  TaskGroup group(runtime);
  group.spawn(accept_all(&*listener, &servers));
  for (int i = 0; i < kConnections; ++i) {
    group.spawn(connect_and_ask(listener->local_address(), &done, &failures));
  }
  group.spawn(get_stuck(&done));
  group.join_blocking();
  servers.join_blocking();
  CHECK(failures == 0);
}
