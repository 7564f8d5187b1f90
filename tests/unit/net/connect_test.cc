// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/connect.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <string>

#include "net_fixture.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/timer.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

Task<std::unique_ptr<Stream>> connect_with(SocketAddress address, const ConnectOptions* options) {
  co_return co_await connect(std::move(address), *options);
}

// A listener whose queue of connections is full: the kernel lets further SYNs go unanswered.
struct FullListener {
  FullListener()
      : listener(*Listener::bind(NetFixture::loopback(), {.backlog = 0})),
        first(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage storage{};
    socklen_t size = listener.local_address().to_sockaddr(storage);
    REQUIRE(::connect(first.get(), reinterpret_cast<sockaddr*>(&storage), size) == 0);
  }
  Listener listener;
  UniqueFd first;
};

}  // namespace

TEST_CASE_METHOD(NetFixture, "connect: within the host, ends without suspending", "[net]") {
  bool is_unix = GENERATE(false, true);
  SocketPath path;
  auto listener = Listener::bind(is_unix ? path.address() : loopback());
  REQUIRE(listener);
  ConnectOptions options;
  auto scenario = [](SocketAddress to, const ConnectOptions* with) -> Task<bool> {
    // Whatever is done first wins: a connect that suspended would not.
    auto at_once = []() -> Task<> { co_return; };
    auto first = co_await when_any(connect_with(to, with), at_once());
    co_return first.index() == 0;
  };
  CHECK(*block_on(runtime, scenario(listener->local_address(), &options)));
}

TEST_CASE_METHOD(NetFixture, "connect: a port that nobody listens on is ConnectRefused", "[net]") {
  SocketAddress address;
  {
    auto listener = Listener::bind(loopback());
    REQUIRE(listener);
    address = listener->local_address();
  }
  ConnectOptions options;
  auto result = block_on(runtime, connect_with(address, &options));
  REQUIRE(!result);
  CHECK(result.error().type() == ErrorType::ConnectRefused);
  CHECK(result.error().context() ==
        "connecting to " + address.to_string() + ": Connection refused");
  SocketPath path;
  auto missing = block_on(runtime, connect_with(path.address(), &options));
  REQUIRE(!missing);
  CHECK(missing.error().type() == ErrorType::ConnectRefused);
}

TEST_CASE_METHOD(NetFixture, "connect: nobody answers until the deadline", "[net]") {
  FullListener full;
  ConnectOptions options{.deadline = Clock::now() + 20ms};
  auto result = block_on(runtime, connect_with(full.listener.local_address(), &options));
  REQUIRE(!result);
  CHECK(result.error().type() == ErrorType::ConnectTimedout);
}

TEST_CASE_METHOD(NetFixture, "connect: is cancelled before it starts, and while it waits",
                 "[net]") {
  FullListener full;
  ConnectOptions options;
  {
    auto dropped = connect_with(full.listener.local_address(), &options);
  }
  auto nap = []() -> Task<> { co_await sleep_for(10ms); };
  auto result =
      block_on(runtime, when_any(connect_with(full.listener.local_address(), &options), nap()));
  REQUIRE(result);
  CHECK(result->index() == 1);
}

TEST_CASE_METHOD(NetFixture, "connect: a connection that takes its time is made", "[net]") {
  FullListener full;
  full.listener.start(runtime.worker(0));
  ConnectOptions options;
  auto make_room = [](Listener* listener) -> Task<> {
    // The kernel repeats the SYN that found no room after a second.
    Accepted first = co_await listener->accept();
    Accepted second = co_await listener->accept();
  };
  auto result = block_on(runtime, when_all(connect_with(full.listener.local_address(), &options),
                                           make_room(&full.listener)));
  REQUIRE(result);
  CHECK(std::get<0>(*result) != nullptr);
}

TEST_CASE_METHOD(NetFixture, "connect: comes from the address and the port range asked for",
                 "[net]") {
  auto listener = Listener::bind(loopback());
  REQUIRE(listener);
  ConnectOptions options;
  options.bind_address = *SocketAddress::parse("127.0.0.9:0");
  options.port_range = PortRange{.low = 42000, .high = 42999};
  auto result = block_on(runtime, connect_with(listener->local_address(), &options));
  REQUIRE(result);
  SocketAddress from = (*result)->local_address();
  CHECK(from.host() == "127.0.0.9");
  CHECK(from.port() >= 42000);
  CHECK(from.port() <= 42999);
}

TEST_CASE_METHOD(NetFixture, "connect: a port range in use is BindError, or falls back", "[net]") {
  auto listener = Listener::bind(loopback());
  REQUIRE(listener);
  ConnectOptions options;
  auto any = block_on(runtime, connect_with(listener->local_address(), &options));
  REQUIRE(any);
  std::uint16_t taken = (*any)->local_address().port();
  options.port_range = PortRange{.low = taken, .high = taken};
  auto refused = block_on(runtime, connect_with(listener->local_address(), &options));
  REQUIRE(!refused);
  CHECK(refused.error().type() == ErrorType::BindError);
  options.port_range->falls_back = true;
  CHECK(block_on(runtime, connect_with(listener->local_address(), &options)));
}

TEST_CASE_METHOD(NetFixture, "connect: the hook sees the socket, and can refuse it", "[net]") {
  auto listener = Listener::bind(loopback());
  REQUIRE(listener);
  int nodelay = -1;
  ConnectOptions options;
  options.socket.dscp = 46;
  options.on_socket = [&nodelay](int fd) -> Result<void> {
    socklen_t size = sizeof(nodelay);
    ::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &size);
    return {};
  };
  CHECK(block_on(runtime, connect_with(listener->local_address(), &options)));
  CHECK(nodelay == 1);
  options.on_socket = [](int) -> Result<void> { return fail(ErrorType::Custom, "not this one"); };
  auto refused = block_on(runtime, connect_with(listener->local_address(), &options));
  REQUIRE(!refused);
  CHECK(refused.error().type() == ErrorType::Custom);
}

TEST_CASE("connect: system errors have their names", "[net]") {
  CHECK(connect_error_type(ECONNREFUSED) == ErrorType::ConnectRefused);
  CHECK(connect_error_type(ETIMEDOUT) == ErrorType::ConnectTimedout);
  CHECK(connect_error_type(EADDRNOTAVAIL) == ErrorType::BindError);
  CHECK(connect_error_type(EACCES) == ErrorType::InternalError);
  CHECK(connect_error_type(ENETUNREACH) == ErrorType::ConnectNoRoute);
  CHECK(connect_error_type(EHOSTUNREACH) == ErrorType::ConnectNoRoute);
  CHECK(connect_error_type(ECONNRESET) == ErrorType::ConnectError);
}

TEST_CASE_METHOD(NetFixture, "connect: waits for room in the queue of a Unix listener", "[net]") {
  SocketPath path;
  auto listener = Listener::bind(path.address(), {.backlog = 0});
  REQUIRE(listener);
  ConnectOptions options;
  auto first = block_on(runtime, connect_with(path.address(), &options));
  REQUIRE(first);
  options.deadline = Clock::now() + 10ms;
  auto late = block_on(runtime, connect_with(path.address(), &options));
  REQUIRE(!late);
  CHECK(late.error().type() == ErrorType::ConnectTimedout);
  options.deadline = kNever;
  listener->start(runtime.worker(0));
  auto make_room = [](Listener* from) -> Task<> {
    co_await yield();
    Accepted accepted = co_await from->accept();
  };
  CHECK(block_on(runtime, when_all(connect_with(path.address(), &options), make_room(&*listener))));
}

TEST_CASE_METHOD(NetFixture, "connect: with fast open, bytes arrive as without", "[net]") {
  auto listener = Listener::bind(loopback(), {.fast_open_queue = 16});
  REQUIRE(listener);
  listener->start(runtime.worker(0));
  auto scenario = [](Listener* at) -> Task<bool> {
    ConnectOptions options{.fast_open = true};
    for (int i = 0; i < 3; ++i) {  // the first gets the cookie, if the system has any
      auto near = co_await connect(at->local_address(), options);
      co_await near->write({"hello"});
      Accepted accepted = co_await at->accept();
      SocketStream far((co_await current_strand()).worker(), accepted.fd.release(),
                       std::move(accepted.peer));
      Buffer buffer;
      while (buffer.size() < 5) co_await far.read(buffer);
      if (buffer.view() != "hello") co_return false;
    }
    co_return true;
  };
  CHECK(*block_on(runtime, scenario(&*listener)));
}

TEST_CASE_METHOD(NetFixture, "connect: options that cannot be set are this side's error", "[net]") {
  auto listener = Listener::bind(loopback());
  REQUIRE(listener);
  ConnectOptions options;
  options.socket.dscp = 64;
  auto result = block_on(runtime, connect_with(listener->local_address(), &options));
  REQUIRE(!result);
  CHECK(result.error().type() == ErrorType::InternalError);
}
