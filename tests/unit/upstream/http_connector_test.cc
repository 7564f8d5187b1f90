// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/upstream/http_connector.h"

#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "connector_fixture.h"
#include "pingora/metrics/registry.h"
#include "pingora/net/memory_stream.h"
#include "pingora/runtime/event.h"
#include "pingora/session/h1_client_session.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::uint64_t pool_events(const char* event) {
  return Registry::global().counter("pingora_upstream_pool_total", "", {{"event", event}}).value();
}

}  // namespace

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: reuses a connection that was released",
                 "[connector]") {
  ScriptedOrigin origin(runtime, answer_with(kOk));
  HttpPeer peer(origin.address());
  CHECK(run(fetch(peer)) == "new ok");
  CHECK(connector.pool().size() == 1);
  CHECK(run(fetch(peer)) == "reused ok");
  CHECK(run(fetch(peer)) == "reused ok");
  CHECK(origin.connections() == 1);
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: a hit is ready without a coroutine",
                 "[connector]") {
  ScriptedOrigin origin(runtime, answer_with(kOk));
  HttpPeer peer(origin.address());
  REQUIRE(run(fetch(peer)) == "new ok");
  auto scenario = [](HttpConnector* connector, HttpPeer* peer) -> Task<bool> {
    auto hit = connector->get_http_session(*peer);
    auto miss = connector->get_http_session(*peer);
    co_return hit.is_ready() && !miss.is_ready();
  };
  CHECK(*block_on(runtime, scenario(&connector, &peer)));
}

TEST_CASE_METHOD(ConnectorFixture,
                 "HttpConnector: out of descriptors, idle connections make room, once",
                 "[connector]") {
  ScriptedOrigin origin(runtime, answer_with(kOk));
  Listener other = *Listener::bind(*SocketAddress::parse("127.0.0.1:0"));
  HttpPeer peer(other.local_address());
  REQUIRE(run(fetch(HttpPeer(origin.address()))) == "new ok");
  REQUIRE(connector.pool().size() == 1);
  std::vector<UniqueFd> all;
  // 0 to 255, so that not too many have to be taken.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit few{.rlim_cur = 256, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  auto take_all = [&all] {
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) all.emplace_back(fd);
  };
  take_all();
  auto connect = [](HttpConnector* from, const HttpPeer* to) -> Task<Result<ConnectedStream>> {
    co_return co_await from->connect_stream(*to).as_result();
  };
  auto made = block_on(runtime, connect(&connector, &peer));
  std::size_t idle = connector.pool().size();
  wait_until([&] { return origin.open_connections() == 0; });
  take_all();
  auto refused = block_on(runtime, connect(&connector, &peer));
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  all.clear();
  CHECK((*made).has_value());
  CHECK(idle == 0);
  REQUIRE_FALSE((*refused).has_value());
  const Error& error = refused->error();
  CHECK(error.type() == ErrorType::InternalError);
  CHECK(error.status() == 503);
  CHECK(error.to_string().find("Too many open files") != std::string::npos);
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: what the response ends is not kept",
                 "[connector]") {
  std::string response = GENERATE(
      as<std::string>(), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
      "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200 OK\r\n\r\nok",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokX");
  ScriptedOrigin origin(runtime, answer_once_with(response));
  HttpPeer peer(origin.address());
  CHECK(run(fetch(peer)) == "new ok");
  wait_until([&] { return connector.pool().size() == 0; });
  CHECK(run(fetch(peer)) == "new ok");
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: an exchange that is not complete is closed",
                 "[connector]") {
  ScriptedOrigin origin(runtime, answer_with(kOk));
  HttpPeer peer(origin.address());
  auto scenario = [](HttpConnector* connector, HttpPeer* peer) -> Task<> {
    UpstreamSession upstream = co_await connector->get_http_session(*peer);
    RequestHeader request = co_await RequestHeader::build(Method::Get, "/");
    co_await upstream.session->write_head(request, {}, BodyLength::none());
    co_await upstream.session->read_head();
    connector->release(std::move(upstream.session), *peer);
  };
  CHECK(block_on(runtime, scenario(&connector, &peer)));
  CHECK(connector.pool().size() == 0);
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: an idle connection that the origin closes goes",
                 "[connector]") {
  ScriptedOrigin origin(runtime, answer_once_with(kOk));
  HttpPeer peer(origin.address());
  CHECK(run(fetch(peer)) == "new ok");
  // The close may be seen by the release already.
  wait_until([&] { return connector.pool().stats().discarded == 1; });
  CHECK(connector.pool().size() == 0);
  CHECK(run(fetch(peer)) == "new ok");
  CHECK(origin.connections() == 2);
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: the next idle one follows one that is gone",
                 "[connector]") {
  Event close_second;
  auto script = [&](Stream& stream, int number) -> Task<> {
    Buffer input;
    for (;;) {
      if ((co_await read_request_head(stream, input)).empty()) co_return;
      co_await stream.write({kOk});
      if (number == 2) {
        co_await close_second.wait();
        co_return;
      }
    }
  };
  ScriptedOrigin origin(runtime, script);
  HttpPeer peer(origin.address());
  auto two = [](ConnectorFixture* self, HttpPeer* peer) -> Task<> {
    auto first = co_await self->connector.get_http_session(*peer);
    auto second = co_await self->connector.get_http_session(*peer);
    co_await self->exchange(*first.session);
    co_await self->exchange(*second.session);
    self->connector.release(std::move(first.session), *peer);
    self->connector.release(std::move(second.session), *peer);
  };
  REQUIRE(block_on(runtime, two(this, &peer)));
  CHECK(connector.pool().size() == 2);
  close_second.set();
  wait_until([&] { return connector.pool().size() == 1; });
  CHECK(run(fetch(peer)) == "reused ok");
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: workers share connections", "[connector]") {
  bool over_unix = GENERATE(false, true);
  ScriptedOrigin origin(runtime, answer_with(kOk),
                        over_unix ? ScriptedOrigin::Over::Unix : ScriptedOrigin::Over::Tcp);
  HttpPeer peer(origin.address());
  CHECK(run(fetch(peer), 0) == "new ok");
  CHECK(run(fetch(peer), 1) == "reused ok");
  CHECK(run(fetch(peer), 1) == "reused ok");
  CHECK(run(fetch(peer), 0) == "reused ok");
  CHECK(origin.connections() == 1);
  CHECK(connector.pool().stats().moved == 2);
  CHECK(connector.pool().stats().hits == 3);
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: peers with other identities get other sockets",
                 "[connector]") {
  ScriptedOrigin origin(runtime, answer_with(kOk));
  HttpPeer first(origin.address());
  HttpPeer second(origin.address());
  second.group_key = 1;
  CHECK(run(fetch(first)) == "new ok");
  CHECK(run(fetch(second)) == "new ok");
  CHECK(run(fetch(first)) == "reused ok");
  CHECK(origin.connections() == 2);
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: idle_timeout 0 keeps nothing", "[connector]") {
  ScriptedOrigin origin(runtime, answer_with(kOk));
  HttpPeer peer(origin.address());
  peer.options.idle_timeout = 0ms;
  CHECK(run(fetch(peer)) == "new ok");
  CHECK(connector.pool().size() == 0);
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: idle connections expire in the background",
                 "[connector]") {
  ScriptedOrigin origin(runtime, answer_with(kOk));
  HttpPeer peer(origin.address());
  peer.options.idle_timeout = 1ms;
  CHECK(run(fetch(peer)) == "new ok");
  TaskGroup group(runtime);
  group.spawn(connector.expire_idle_connections());
  wait_until([&] { return connector.pool().stats().expired == 1; });
  CHECK(connector.pool().size() == 0);
  wait_until([] { return pool_events("expire") == 1; });
  CHECK(pool_events("hit") == 0);
  CHECK(pool_events("miss") == 1);
  group.cancel();
  group.join_blocking();
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: leniencies are those of the peer that asks",
                 "[connector]") {
  ScriptedOrigin origin(runtime, answer_with("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"));
  HttpPeer peer(origin.address());
  CHECK(run(fetch(peer)) == "InvalidHttpHeader");
  peer.options.allow_h1_response_bare_lf = Toggle::On;
  CHECK(run(fetch(peer)) == "new ok");
  CHECK(run(fetch(peer)) == "reused ok");
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: timeouts are those of the peer that asks",
                 "[connector]") {
  // The second request on a connection is never answered.
  ScriptedOrigin origin(runtime, [](Stream& stream, int) -> Task<> {
    Buffer input;
    co_await read_request_head(stream, input);
    co_await stream.write({kOk});
    while (!(co_await read_request_head(stream, input)).empty()) {
    }
  });
  HttpPeer peer(origin.address());
  peer.options.read_timeout = kNoTimeout;
  CHECK(run(fetch(peer)) == "new ok");
  peer.options.read_timeout = 20ms;
  CHECK(run(fetch(peer)) == "ReadTimedout");
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: the tracer hears of each connection",
                 "[connector]") {
  struct Counting : ConnectionTracer {
    void on_connected(const HttpPeer&) noexcept override { ++connected; }
    void on_disconnected(const HttpPeer&) noexcept override { ++disconnected; }
    std::atomic<int> connected{0};
    std::atomic<int> disconnected{0};
  };
  auto tracer = std::make_shared<Counting>();
  ScriptedOrigin origin(runtime, answer_with(kOk));
  HttpPeer peer(origin.address());
  peer.options.edit_rare().tracer = tracer;
  CHECK(run(fetch(peer)) == "new ok");
  CHECK(run(fetch(peer)) == "reused ok");
  CHECK(tracer->connected == 1);
  CHECK(tracer->disconnected == 0);
  CHECK(connector.pool().shed(1) == 1);
  CHECK(tracer->disconnected == 1);
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: a peer without an address is a clear error",
                 "[connector]") {
  CHECK(run(fetch(HttpPeer("no address"))) == "InternalError");
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: sessions of others are closed", "[connector]") {
  struct Foreign : H1ClientSession {
    using H1ClientSession::H1ClientSession;
  };
  auto scenario = [](HttpConnector* connector) -> Task<> {
    ClientSessionOptions options;
    auto pair = MemoryStream::make_pair();
    connector->release(std::make_unique<Foreign>(std::move(pair.first), options),
                       HttpPeer("127.0.0.1:80"));
    connector->release(nullptr, HttpPeer("127.0.0.1:80"));
    co_return;
  };
  CHECK(block_on(runtime, scenario(&connector)));
  CHECK(connector.pool().size() == 0);
}

TEST_CASE_METHOD(ConnectorFixture, "HttpConnector: all workers at once, origins that close",
                 "[connector]") {
  // Every seventh response closes its connection, announced or not.
  std::atomic<int> served{0};
  auto script = [&](Stream& stream, int) -> Task<> {
    Buffer input;
    for (;;) {
      if ((co_await read_request_head(stream, input)).empty()) co_return;
      int number = ++served;
      if (number % 14 == 0) {
        co_await stream.write(
            {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"});
      } else {
        co_await stream.write({kOk});
      }
      if (number % 7 == 0) co_return;
    }
  };
  ScriptedOrigin first(runtime, script);
  ScriptedOrigin second(runtime, script, ScriptedOrigin::Over::Unix);
  HttpPeer peers[] = {HttpPeer(first.address()), HttpPeer(second.address())};
  std::atomic<int> good{0};
  constexpr int kTasks = 8;
  constexpr int kRequests = 60;
  auto client = [](ConnectorFixture* self, const HttpPeer* peers, int seed,
                   std::atomic<int>* good) -> Task<> {
    for (int i = 0; i < kRequests; ++i) {
      const HttpPeer& peer = peers[(i + seed) % 2];
      for (;;) {
        std::string result = co_await self->fetch(peer);
        if (result.ends_with("ok")) break;
        // The origin closed while the request was on its way; what else there is is a bug.
        if (result != "ConnectionClosed" && result != "ReadError") co_return;
      }
      ++*good;
    }
  };
  TaskGroup group(runtime);
  for (int i = 0; i < kTasks; ++i) {
    group.spawn_on(runtime.worker(static_cast<std::size_t>(i) % runtime.worker_count()),
                   client(this, peers, i, &good));
  }
  group.join_blocking();
  CHECK(good == kTasks * kRequests);
  CHECK(connector.pool().stats().hits > 0);
}
