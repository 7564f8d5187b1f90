// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/happy_eyeballs.h"

#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <string>

#include "net_fixture.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

SocketAddress address(const char* text) { return *SocketAddress::parse(text); }

// A port on which nobody listens.
SocketAddress refusing() { return Listener::bind(NetFixture::loopback())->local_address(); }

// Lets SYNs go unanswered: its queue is full.
struct SilentListener {
  SilentListener()
      : listener(*Listener::bind(NetFixture::loopback(), {.backlog = 0})),
        first(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage storage{};
    socklen_t size = listener.local_address().to_sockaddr(storage);
    REQUIRE(::connect(first.get(), reinterpret_cast<sockaddr*>(&storage), size) == 0);
  }
  const SocketAddress& address() const { return listener.local_address(); }
  Listener listener;
  UniqueFd first;
};

Task<SocketAddress> winner(std::vector<SocketAddress> addresses, const ConnectOptions* options,
                           HappyEyeballsOptions pace) {
  auto stream = co_await happy_eyeballs_connect(std::move(addresses), *options, pace);
  co_return stream->digest().peer_address;
}

}  // namespace

TEST_CASE("Happy Eyeballs: families take turns, beginning with the first", "[net]") {
  auto mixed = interleave_families({address("[::1]:1"), address("[::1]:2"), address("[::1]:3"),
                                    address("127.0.0.1:1"), address("127.0.0.1:2")});
  CHECK(mixed == std::vector<SocketAddress>{address("[::1]:1"), address("127.0.0.1:1"),
                                            address("[::1]:2"), address("127.0.0.1:2"),
                                            address("[::1]:3")});
  CHECK(interleave_families({}).empty());
}

TEST_CASE_METHOD(NetFixture, "Happy Eyeballs: a failure lets the next begin at once", "[net]") {
  auto good = Listener::bind(loopback());
  REQUIRE(good);
  ConnectOptions options;
  auto won = block_on(runtime, winner({refusing(), refusing(), good->local_address()}, &options,
                                      {.attempt_delay = 1h}));
  REQUIRE(won);
  CHECK(*won == good->local_address());
}

TEST_CASE_METHOD(NetFixture, "Happy Eyeballs: silence lets the next begin after the delay",
                 "[net]") {
  SilentListener silent;
  auto good = Listener::bind(*SocketAddress::parse("[::1]:0"));
  REQUIRE(good);
  ConnectOptions options;
  auto won = block_on(runtime, winner({silent.address(), good->local_address()}, &options,
                                      {.attempt_delay = 10ms}));
  REQUIRE(won);
  CHECK(*won == good->local_address());
}

TEST_CASE_METHOD(NetFixture, "Happy Eyeballs: when all fail, the error tells of all", "[net]") {
  std::vector<SocketAddress> addresses{refusing(), refusing(), refusing()};
  ConnectOptions options;
  auto won = block_on(runtime, winner(addresses, &options, {}));
  REQUIRE(!won);
  CHECK(won.error().type() == ErrorType::ConnectRefused);
  for (const SocketAddress& tried : addresses) {
    CHECK(std::string(won.error().context()).find(tried.to_string()) != std::string::npos);
  }
}

TEST_CASE_METHOD(NetFixture, "Happy Eyeballs: the deadline is that of all attempts", "[net]") {
  SilentListener silent;
  ConnectOptions options{.deadline = Clock::now() + 30ms};
  auto won = block_on(
      runtime, winner({silent.address(), silent.address()}, &options, {.attempt_delay = 4ms}));
  REQUIRE(!won);
  CHECK(won.error().type() == ErrorType::ConnectTimedout);
}

TEST_CASE_METHOD(NetFixture, "Happy Eyeballs: no address is a ResolveError; attempts are bounded",
                 "[net]") {
  ConnectOptions options;
  auto none = block_on(runtime, winner({}, &options, {}));
  REQUIRE(!none);
  CHECK(none.error().type() == ErrorType::ResolveError);
  auto good = Listener::bind(loopback());
  REQUIRE(good);
  CHECK_FALSE(block_on(runtime, winner({refusing(), refusing(), good->local_address()}, &options,
                                       {.attempts_max = 2})));
}
