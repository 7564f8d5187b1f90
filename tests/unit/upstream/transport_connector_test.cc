// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/upstream/transport_connector.h"

#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "connector_fixture.h"
#include "pingora/net/memory_stream.h"
#include "pingora/net/unique_fd.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/event.h"
#include "pingora/runtime/timer.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Connects and gives the error, which there must be.
Task<Error> failure(TransportConnector* connector, HttpPeer peer) {
  auto result = co_await connector->connect(peer).as_result();
  if (result) co_return Error::custom("Connected");
  co_return Result<Error>(std::move(result.error()));
}

// An address that nobody listens on.
SocketAddress dead_address() {
  auto listener = Listener::bind(*SocketAddress::parse("127.0.0.1:0"));
  REQUIRE(listener);
  return listener->local_address();
}

// A listener whose queue of connections is full: the kernel lets further SYNs go unanswered.
struct FullListener {
  FullListener() {
    sockaddr_storage storage{};
    socklen_t size = listener.local_address().to_sockaddr(storage);
    REQUIRE(::connect(first.get(), reinterpret_cast<sockaddr*>(&storage), size) == 0);
  }
  Listener listener = *Listener::bind(*SocketAddress::parse("127.0.0.1:0"), {.backlog = 0});
  UniqueFd first{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

// Never answers; tells when it is asked and when it is cancelled.
struct StallingL4 : L4Connect {
  struct Guard {
    StallingL4* owner;
    ~Guard() { owner->ended.set(); }
  };
  Task<std::unique_ptr<Stream>> connect(const HttpPeer&) override {
    Guard guard{this};
    started.set();
    co_await never.wait();
    co_return Error::internal("unreachable");
  }
  Event started;
  Event ended;
  Event never;
};

struct FixedL4 : L4Connect {
  explicit FixedL4(std::unique_ptr<Stream> stream) : stream(std::move(stream)) {}
  Task<std::unique_ptr<Stream>> connect(const HttpPeer&) override { return std::move(stream); }
  std::unique_ptr<Stream> stream;
};

struct FailingL4 : L4Connect {
  Task<std::unique_ptr<Stream>> connect(const HttpPeer&) override {
    return Error::explain(ErrorType::ConnectNoRoute, "no tunnel");
  }
};

// A resolver that gives `addresses` for every name.
std::shared_ptr<Resolver> resolver_of(std::vector<std::string> addresses) {
  ResolverOptions options;
  options.lookup = [addresses](const std::string&) -> Result<ResolvedName> {
    ResolvedName name;
    for (const std::string& each : addresses) {
      name.addresses.push_back(*SocketAddress::parse(each, 0));
    }
    return name;
  };
  return std::make_shared<Resolver>(std::move(options));
}

}  // namespace

TEST_CASE_METHOD(ConnectorFixture, "TransportConnector: nobody listens", "[connector]") {
  Error error = run(failure(&connector.transport(), HttpPeer(dead_address())));
  CHECK(error.type() == ErrorType::ConnectRefused);
  CHECK(error.source() == ErrorSource::Upstream);
  CHECK_FALSE(error.retry());
  Error missing = run(failure(&connector.transport(), HttpPeer("unix:/tmp/pingora-no-such-path")));
  CHECK(missing.type() == ErrorType::ConnectRefused);
}

TEST_CASE_METHOD(ConnectorFixture, "TransportConnector: nobody answers within either timeout",
                 "[connector]") {
  FullListener full;
  HttpPeer peer(full.listener.local_address());
  bool total = GENERATE(false, true);
  (total ? peer.options.total_connection_timeout : peer.options.connection_timeout) = 20ms;
  Error error = run(failure(&connector.transport(), peer));
  CHECK(error.type() == ErrorType::ConnectTimedout);
  CHECK(error.source() == ErrorSource::Upstream);
}

TEST_CASE_METHOD(ConnectorFixture, "TransportConnector: custom_l4 makes the stream",
                 "[connector]") {
  auto pair = MemoryStream::make_pair();
  HttpPeer peer("127.0.0.1:1");
  peer.options.edit_rare().custom_l4 = std::make_shared<FixedL4>(std::move(pair.first));
  auto origin = [](std::unique_ptr<Stream> stream) -> Task<> {
    Buffer input;
    while (!(co_await read_request_head(*stream, input)).empty()) co_await stream->write({kOk});
  };
  TaskGroup group(runtime);
  group.spawn(origin(std::move(pair.second)));
  CHECK(run(fetch(peer)) == "new ok");
  CHECK(run(fetch(peer)) == "reused ok");
  connector.pool().clear();
  group.join_blocking();
  // It has no second stream to give.
  CHECK(run(failure(&connector.transport(), peer)).type() == ErrorType::InternalError);
}

TEST_CASE_METHOD(ConnectorFixture, "TransportConnector: custom_l4 that fails, or stalls",
                 "[connector]") {
  HttpPeer peer("127.0.0.1:1");
  peer.options.connection_timeout = 20ms;
  peer.options.edit_rare().custom_l4 = std::make_shared<FailingL4>();
  Error error = run(failure(&connector.transport(), peer));
  CHECK(error.type() == ErrorType::ConnectNoRoute);
  CHECK(error.source() == ErrorSource::Upstream);

  auto stalling = std::make_shared<StallingL4>();
  peer.options.edit_rare().custom_l4 = stalling;
  CHECK(run(failure(&connector.transport(), peer)).type() == ErrorType::ConnectTimedout);
  CHECK(stalling->ended.is_set());
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: cancelled before it starts and while it waits",
                 "[connector]") {
  auto stalling = std::make_shared<StallingL4>();
  HttpPeer peer("127.0.0.1:1");
  peer.options.edit_rare().custom_l4 = stalling;
  auto scenario = [](HttpConnector* connector, HttpPeer* peer, StallingL4* stalling) -> Task<bool> {
    {
      auto never_started = connector->get_http_session(*peer);
    }
    bool untouched = !stalling->started.is_set();
    auto wait = [](StallingL4* stalling) -> Task<> { co_await stalling->started.wait(); };
    auto first = co_await when_any(connector->get_http_session(*peer), wait(stalling));
    co_return untouched&& first.index() == 1 && stalling->ended.is_set();
  };
  CHECK(*block_on(runtime, scenario(&connector, &peer, stalling.get())));
}

TEST_CASE_METHOD(ConnectorFixture, "TransportConnector: a name falls back to a live address",
                 "[connector]") {
  ScriptedOrigin origin(runtime, answer_with(kOk));
  // 127.0.0.2 is this host too, and nobody listens there.
  HttpConnector named(
      {.workers = 2, .transport = {.resolver = resolver_of({"::1", "127.0.0.2", "127.0.0.1"})}});
  HttpPeer peer("origin.example:" + std::to_string(origin.address().port()));
  auto scenario = [](HttpConnector* named, HttpPeer* peer) -> Task<std::string> {
    auto connected = co_await named->connect_stream(*peer);
    co_return connected.stream->digest().peer_address.to_string();
  };
  CHECK(run(scenario(&named, &peer)) == origin.address().to_string());

  HttpConnector dead(
      {.workers = 2, .transport = {.resolver = resolver_of({"127.0.0.2", "127.0.0.3"})}});
  CHECK(run(failure(&dead.transport(), peer)).type() == ErrorType::ConnectRefused);
}

TEST_CASE_METHOD(ConnectorFixture, "TransportConnector: names that do not resolve", "[connector]") {
  ResolverOptions options;
  options.lookup = [](const std::string& name) -> Result<ResolvedName> {
    return fail(ErrorType::ResolveError, "no such name: " + name);
  };
  HttpConnector named(
      {.workers = 2, .transport = {.resolver = std::make_shared<Resolver>(options)}});
  Error error = run(failure(&named.transport(), HttpPeer("nowhere.example:80")));
  CHECK(error.type() == ErrorType::ResolveError);
  CHECK(error.source() == ErrorSource::Upstream);
}

TEST_CASE_METHOD(ConnectorFixture, "TransportConnector: connections come from where they are bound",
                 "[connector]") {
  ScriptedOrigin origin(runtime, answer_with(kOk));
  HttpPeer peer(origin.address());
  SECTION("the peer's bind_to") {
    peer.options.edit_rare().bind_to = BindTo{*SocketAddress::parse("127.0.0.7:0"), {}};
    CHECK(run(fetch(peer)) == "new ok");
    CHECK(origin.last_peer() == "127.0.0.7");
  }
  SECTION("the connector's list, in turn") {
    HttpConnector bound(
        {.workers = 2,
         .transport = {.client_bind_to_ipv4 = {*SocketAddress::parse("127.0.0.8:0"),
                                               *SocketAddress::parse("127.0.0.9:0")}}});
    auto connect = [](HttpConnector* bound, HttpPeer* peer) -> Task<std::string> {
      auto connected = co_await bound->connect_stream(*peer);
      co_return connected.stream->local_address().host();
    };
    CHECK(run(connect(&bound, &peer)) == "127.0.0.8");
    CHECK(run(connect(&bound, &peer)) == "127.0.0.9");
    CHECK(run(connect(&bound, &peer)) == "127.0.0.8");
    peer.options.edit_rare().bind_to = BindTo{};
    CHECK(run(connect(&bound, &peer)) == "127.0.0.1");
  }
  SECTION("an address that is not this host's") {
    peer.options.edit_rare().bind_to = BindTo{*SocketAddress::parse("192.0.2.1:0"), {}};
    Error error = run(failure(&connector.transport(), peer));
    CHECK(error.type() == ErrorType::InternalError);
    CHECK(error.source() == ErrorSource::Internal);
  }
}

TEST_CASE_METHOD(ConnectorFixture, "TransportConnector: the tweak hook sees the socket first",
                 "[connector]") {
  ScriptedOrigin origin(runtime, answer_with(kOk));
  HttpPeer peer(origin.address());
  int sockets = 0;
  peer.options.edit_rare().upstream_tcp_sock_tweak_hook =
      std::make_shared<const SocketTweakHook>([&sockets](int fd) -> Result<void> {
        sockets += fd >= 0 ? 1 : 0;
        return {};
      });
  CHECK(run(fetch(peer)) == "new ok");
  CHECK(sockets == 1);
  peer.options.edit_rare().upstream_tcp_sock_tweak_hook = std::make_shared<const SocketTweakHook>(
      [](int) -> Result<void> { return fail(ErrorType::InternalError, "not this one"); });
  CHECK(run(fetch(peer)) == "InternalError");
  CHECK(origin.connections() == 1);
}

TEST_CASE_METHOD(ConnectorFixture, "TransportConnector: socket options reach the socket",
                 "[connector]") {
  ScriptedOrigin origin(runtime, answer_with(kOk));
  HttpPeer peer(origin.address());
  peer.options.dscp = 10;
  peer.options.edit_rare().tcp_keepalive = TcpKeepalive{};
  auto scenario = [](HttpConnector* connector, HttpPeer* peer) -> Task<std::pair<int, int>> {
    auto connected = co_await connector->connect_stream(*peer);
    int tos = 0;
    int alive = 0;
    socklen_t size = sizeof(int);
    ::getsockopt(connected.stream->fd(), IPPROTO_IP, IP_TOS, &tos, &size);
    ::getsockopt(connected.stream->fd(), SOL_SOCKET, SO_KEEPALIVE, &alive, &size);
    co_return std::pair(tos, alive);
  };
  CHECK(run(scenario(&connector, &peer)) == std::pair(10 << 2, 1));
}
