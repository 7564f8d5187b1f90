// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/listener.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "net_fixture.h"
#include "pingora/runtime/combinators.h"

using namespace pingora;

namespace {

int int_option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  ::getsockopt(fd, level, name, &value, &size);
  return value;
}

Task<Accepted> accept_one(Listener* listener) { co_return co_await listener->accept(); }

Task<std::unique_ptr<Stream>> connect_to(const Listener* listener) {
  ConnectOptions options;
  co_return co_await connect(listener->local_address(), options);
}

}  // namespace

TEST_CASE_METHOD(NetFixture, "Listener: port 0 gives a port that can be connected to", "[net]") {
  auto text = GENERATE(as<std::string>(), "127.0.0.1:0", "[::1]:0");
  auto listener = Listener::bind(*SocketAddress::parse(text));
  REQUIRE(listener);
  CHECK(listener->local_address().port() != 0);
  listener->start(runtime.worker(0));
  auto both = block_on(runtime, when_all(connect_to(&*listener), accept_one(&*listener)));
  REQUIRE(both);
  CHECK(std::get<1>(*both).peer == std::get<0>(*both)->local_address());
  CHECK(std::get<0>(*both)->digest().peer_address == listener->local_address());
}

TEST_CASE_METHOD(NetFixture, "Listener: an address in use is one line with the address and why",
                 "[net]") {
  auto first = Listener::bind(loopback());
  REQUIRE(first);
  auto second = Listener::bind(first->local_address());
  REQUIRE(!second);
  CHECK(second.error().type() == ErrorType::BindError);
  CHECK(second.error().context() ==
        "cannot listen on " + first->local_address().to_string() + ": Address already in use");
  auto shared = Listener::bind(loopback(), {.reuse_port = true});
  REQUIRE(shared);
  CHECK(Listener::bind(shared->local_address(), {.reuse_port = true}));
}

TEST_CASE_METHOD(NetFixture, "Listener: accepted connections have the options without being told",
                 "[net]") {
  ListenOptions options;
  options.connection.keepalive = TcpKeepalive{.idle = std::chrono::seconds(17),
                                              .interval = std::chrono::seconds(5),
                                              .count = 3,
                                              .user_timeout = std::chrono::milliseconds(9000)};
  options.connection.dscp = 10;
  options.connection.receive_buffer_bytes = 32768;
  auto listener = Listener::bind(loopback(), options);
  REQUIRE(listener);
  listener->start(runtime.worker(0));
  auto both = block_on(runtime, when_all(connect_to(&*listener), accept_one(&*listener)));
  REQUIRE(both);
  int fd = std::get<1>(*both).fd.get();
  CHECK(int_option(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
  CHECK(int_option(fd, IPPROTO_TCP, TCP_INQ) == (Descriptor::tells_end() ? 0 : 1));
  CHECK(int_option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(int_option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 17);
  CHECK(int_option(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 5);
  CHECK(int_option(fd, IPPROTO_TCP, TCP_KEEPCNT) == 3);
  CHECK(int_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == 9000);
  CHECK(int_option(fd, IPPROTO_IP, IP_TOS) == 10 << 2);
  CHECK(int_option(fd, SOL_SOCKET, SO_RCVBUF) == 2 * 32768);
  CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE_METHOD(NetFixture, "Listener: a Unix socket gets its mode, and a stale file is no bar",
                 "[net]") {
  SocketPath path;
  {
    REQUIRE(Listener::bind(path.address()));
  }  // leaves the file
  auto listener = Listener::bind(path.address(), {.unix_permissions = 0600});
  REQUIRE(listener);
  struct stat status{};
  REQUIRE(::stat(path.string().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(listener->local_address() == path.address());

  auto second = Listener::bind(path.address());
  REQUIRE(!second);
  CHECK(second.error().type() == ErrorType::BindError);
  listener->start(runtime.worker(0));
  CHECK(block_on(runtime, when_all(connect_to(&*listener), accept_one(&*listener))));
}

TEST_CASE_METHOD(NetFixture, "Listener: a file that is no socket is not removed", "[net]") {
  SocketPath path;
  UniqueFd file(::open(path.string().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  REQUIRE(file.is_valid());
  CHECK_FALSE(Listener::bind(path.address()));
  CHECK(::access(path.string().c_str(), F_OK) == 0);
}

TEST_CASE_METHOD(NetFixture, "Listener: adopts a listening socket, and nothing else", "[net]") {
  auto original = Listener::bind(loopback());
  REQUIRE(original);
  SocketAddress address = original->local_address();
  auto adopted = Listener::adopt(original->release());
  REQUIRE(adopted);
  CHECK(adopted->local_address() == address);
  adopted->start(runtime.worker(1));
  CHECK(block_on(runtime, when_all(connect_to(&*adopted), accept_one(&*adopted))));

  auto wrong = Listener::adopt(UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
  REQUIRE(!wrong);
  CHECK(wrong.error().type() == ErrorType::BindError);
}

TEST_CASE_METHOD(NetFixture, "Listener: gives every connection of a burst", "[net]") {
  constexpr int kCount = 3 * Listener::kTurnMax;
  auto listener = Listener::bind(loopback());
  REQUIRE(listener);
  listener->start(runtime.worker(0));
  auto connect_all = [](Listener* to) -> Task<std::vector<std::unique_ptr<Stream>>> {
    std::vector<std::unique_ptr<Stream>> streams;
    for (int i = 0; i < kCount; ++i) streams.push_back(co_await connect_to(to));
    co_return streams;
  };
  auto accept_all = [](Listener* from) -> Task<int> {
    int count = 0;
    while (count < kCount) {
      Accepted accepted = co_await from->accept();
      ++count;
    }
    co_return count;
  };
  auto streams = block_on(runtime, connect_all(&*listener));
  REQUIRE(streams);
  CHECK(*block_on(runtime, accept_all(&*listener)) == kCount);
}

TEST_CASE_METHOD(NetFixture, "Listener: out of descriptors is an AcceptError, and passes",
                 "[net]") {
  auto listener = Listener::bind(loopback());
  REQUIRE(listener);
  listener->start(runtime.worker(0));
  auto near = block_on(runtime, connect_to(&*listener));
  REQUIRE(near);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  // The lowest number that is free is the limit: no more descriptors.
  UniqueFd lowest(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  rlimit none{.rlim_cur = static_cast<rlim_t>(lowest.get()), .rlim_max = before.rlim_max};
  lowest = UniqueFd();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  auto failed = block_on(runtime, accept_one(&*listener));
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(!failed);
  CHECK(failed.error().type() == ErrorType::AcceptError);
  CHECK(block_on(runtime, accept_one(&*listener)));
}

TEST_CASE_METHOD(NetFixture, "Listener: an accept that is cancelled loses no connection", "[net]") {
  auto listener = Listener::bind(loopback());
  REQUIRE(listener);
  listener->start(runtime.worker(0));
  auto scenario = [](Listener* at) -> Task<bool> {
    auto nothing = []() -> Task<> { co_await yield(); };
    auto at_once = []() -> Task<> { co_return; };
    {
      Task<Accepted> dropped = accept_one(at);
    }  // never started
    co_await when_any(at_once(), accept_one(at));
    auto first = co_await when_any(accept_one(at), nothing());  // cancelled while it waits
    if (first.index() != 1) co_return false;
    auto near = co_await connect_to(at);
    Accepted accepted = co_await at->accept();
    co_return accepted.peer == near->local_address();
  };
  CHECK(*block_on(runtime, scenario(&*listener)));
}

TEST_CASE_METHOD(NetFixture, "Listener: v6only decides whether IPv4 gets in", "[net]") {
  bool v6only = GENERATE(false, true);
  auto listener = Listener::bind(*SocketAddress::parse("[::]:0"), {.v6only = v6only});
  REQUIRE(listener);
  ConnectOptions options;
  auto over_v4 = [](std::uint16_t port, const ConnectOptions* with) -> Task<> {
    auto stream = co_await connect(*SocketAddress::parse("127.0.0.1", port), *with);
  };
  auto result = block_on(runtime, over_v4(listener->local_address().port(), &options));
  CHECK(result.has_value() == !v6only);
}
