// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "connector_fixture.h"
#include "h2_origin.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/event.h"
#include "pingora/runtime/timer.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

// Makes streams once it is told to; the other ends are answered by nobody.
struct StallingL4 : L4Connect {
  Task<std::unique_ptr<Stream>> connect(const HttpPeer&) override {
    ++attempts;
    co_await go.wait();
    co_return Error::explain(ErrorType::ConnectRefused, "in the end");
  }
  Event go;
  std::atomic<int> attempts{0};
};

Task<> send_get(ClientSession& session) {
  RequestHeader request = co_await RequestHeader::build(Method::Get, "/");
  co_await request.insert_header(HeaderId::Host, "origin.example");
  co_await session.write_head(request, {}, BodyLength::none());  // the end: it needs no flush
}

Task<> send_post(ClientSession& session) {
  RequestHeader request = co_await RequestHeader::build(Method::Post, "/");
  co_await request.insert_header(HeaderId::Host, "origin.example");
  co_await session.write_head(request, {}, BodyLength::unknown());
  co_await session.flush();
}

// Waits until the origin has seen a stream end by a reset, and says by which.
struct ResetSeen {
  std::atomic<int> code{-1};
  Event arrived;  // the request
  Event seen;
  ScriptedOrigin::Script script(H2OriginPeer::Reads reads, bool answers_head) {
    return [this, reads, answers_head](Stream& stream, int) -> Task<> {
      H2OriginPeer peer(stream, reads);
      if (!co_await peer.until([&] { return !peer.requests().empty(); })) co_return;
      arrived.set();
      H2OriginPeer::Request& first = *peer.requests()[0];
      if (answers_head) peer.respond(first, "a", EndOfStream::No);
      if (!co_await peer.until([&] { return first.reset.has_value(); })) co_return;
      code = static_cast<int>(*first.reset);
      seen.set();
      first.is_complete = false;
      for (std::size_t answered = 1;; ++answered) {
        bool has_more = co_await peer.until([&] {
          return peer.requests().size() > answered && peer.requests()[answered]->is_complete;
        });
        if (!has_more) co_return;
        peer.respond(*peer.requests()[answered], "ok");
      }
    };
  }
};

}  // namespace

TEST_CASE_METHOD(ConnectorFixture, "HTTP/2 connector: one connection carries request after request",
                 "[h2connector]") {
  ScriptedOrigin origin(runtime, answer_h2_with("ok"));
  HttpPeer peer = h2_peer(origin.address());
  CHECK(run(fetch(peer), 0) == "new ok");
  CHECK(run(fetch(peer), 1) == "reused ok");
  CHECK(run(fetch(peer), 0) == "reused ok");
  CHECK(origin.connections() == 1);
  CHECK(connector.h2_connections() == 1);
  CHECK(connector.pool().size() == 0);
}

TEST_CASE_METHOD(ConnectorFixture, "HTTP/2 connector: a free stream is ready without a coroutine",
                 "[h2connector]") {
  ScriptedOrigin origin(runtime, answer_h2_with("ok"));
  HttpPeer peer = h2_peer(origin.address());
  REQUIRE(run(fetch(peer)) == "new ok");
  wait_until([&] { return connector.h2_connections() == 1; });
  auto scenario = [](HttpConnector* connector, HttpPeer* peer) -> Task<bool> {
    co_return connector->get_http_session(*peer).is_ready();
  };
  CHECK(*block_on(runtime, scenario(&connector, &peer)));
}

TEST_CASE_METHOD(ConnectorFixture, "HTTP/2 connector: requests side by side share a connection",
                 "[h2connector]") {
  ScriptedOrigin origin(runtime, answer_h2_with("ok"));
  HttpPeer peer = h2_peer(origin.address());
  std::atomic<int> good{0};
  auto client = [](ConnectorFixture* self, const HttpPeer* peer, std::atomic<int>* good) -> Task<> {
    for (int i = 0; i < 20; ++i) {
      std::string result = co_await self->fetch(*peer);
      if (result.ends_with(" ok")) ++*good;
    }
  };
  TaskGroup group(runtime);
  for (int i = 0; i < 50; ++i) group.spawn(client(this, &peer, &good));
  group.join_blocking();
  CHECK(good == 50 * 20);
  CHECK(origin.connections() == 1);
}

TEST_CASE_METHOD(ConnectorFixture, "HTTP/2 connector: those who wait share the failure",
                 "[h2connector]") {
  auto l4 = std::make_shared<StallingL4>();
  HttpPeer peer = h2_peer(*SocketAddress::parse("192.0.2.1:80"));
  peer.options.edit_rare().custom_l4 = l4;
  std::atomic<int> refused{0};
  auto client = [](ConnectorFixture* self, const HttpPeer* peer,
                   std::atomic<int>* refused) -> Task<> {
    if (co_await self->fetch(*peer) == "ConnectRefused") ++*refused;
  };
  TaskGroup group(runtime);
  for (int i = 0; i < 10; ++i) group.spawn(client(this, &peer, &refused));
  wait_until([&] { return l4->attempts > 0; });
  l4->go.set();
  group.join_blocking();
  CHECK(refused == 10);
}

TEST_CASE_METHOD(ConnectorFixture,
                 "HTTP/2 connector: when the maker is cancelled, another makes it",
                 "[h2connector]") {
  auto l4 = std::make_shared<StallingL4>();
  HttpPeer peer = h2_peer(*SocketAddress::parse("192.0.2.1:80"));
  peer.options.edit_rare().custom_l4 = l4;
  auto client = [](ConnectorFixture* self, const HttpPeer* peer) -> Task<> {
    co_await self->fetch(*peer);
  };
  TaskGroup maker(runtime);
  maker.spawn(client(this, &peer));
  wait_until([&] { return l4->attempts == 1; });
  TaskGroup waiting(runtime);
  waiting.spawn(client(this, &peer));
  maker.cancel();
  maker.join_blocking();
  wait_until([&] { return l4->attempts == 2; });
  waiting.cancel();
  waiting.join_blocking();
}

TEST_CASE_METHOD(ConnectorFixture, "HTTP/2 connector: a task that is dropped leaves nothing behind",
                 "[h2connector]") {
  ScriptedOrigin origin(runtime, answer_h2_with("ok"));
  HttpPeer peer = h2_peer(origin.address());
  auto drop = [](HttpConnector* connector, HttpPeer* peer) -> Task<> {
    {
      auto never_begun = connector->get_http_session(*peer);
    }
    co_return;
  };
  REQUIRE(block_on(runtime, drop(&connector, &peer)));
  CHECK(run(fetch(peer)) == "new ok");
  wait_until([&] { return connector.h2_connections() == 1; });
  for (int i = 0; i < 200; ++i) REQUIRE(block_on(runtime, drop(&connector, &peer)));
  CHECK(run(fetch(peer)) == "reused ok");
  CHECK(origin.connections() == 1);
}

TEST_CASE_METHOD(ConnectorFixture, "HTTP/2 connector: a wait is as long as its own peer says",
                 "[h2connector]") {
  auto l4 = std::make_shared<StallingL4>();
  HttpPeer patient = h2_peer(*SocketAddress::parse("192.0.2.1:80"));
  patient.options.edit_rare().custom_l4 = l4;
  HttpPeer hasty = patient;
  hasty.options.connection_timeout = 20ms;
  auto client = [](ConnectorFixture* self, const HttpPeer* peer) -> Task<> {
    co_await self->fetch(*peer);
  };
  TaskGroup maker(runtime);
  maker.spawn(client(this, &patient));
  wait_until([&] { return l4->attempts == 1; });
  CHECK(run(fetch(hasty)) == "ConnectTimedout");
  CHECK(l4->attempts == 1);
  maker.cancel();
  maker.join_blocking();
}

TEST_CASE_METHOD(ConnectorFixture, "HTTP/2 connector: a peer that hangs up at once",
                 "[h2connector]") {
  ScriptedOrigin origin(runtime, [](Stream&, int) -> Task<> { co_return; });
  HttpPeer peer = h2_peer(origin.address());
  std::string result = run(fetch(peer));
  CHECK((result == "ConnectionClosed" || result == "ReadError" || result == "WriteError"));
  wait_until([&] { return connector.h2_connections() == 0; });
}

TEST_CASE_METHOD(ConnectorFixture, "HTTP/2 connector: idle connections expire in the background",
                 "[h2connector]") {
  ScriptedOrigin origin(runtime, answer_h2_with("ok"));
  HttpPeer peer = h2_peer(origin.address());
  peer.options.idle_timeout = 1ms;
  CHECK(run(fetch(peer)) == "new ok");
  TaskGroup group(runtime);
  group.spawn(connector.expire_idle_connections());
  wait_until([&] { return connector.h2_connections() == 0; });
  group.cancel();
  group.join_blocking();
  CHECK(run(fetch(peer)) == "new ok");
}

TEST_CASE_METHOD(ConnectorFixture, "HTTP/2 connector: idle connections are shed", "[h2connector]") {
  ScriptedOrigin origin(runtime, answer_h2_with("ok"));
  HttpPeer peer = h2_peer(origin.address());
  CHECK(run(fetch(peer)) == "new ok");
  wait_until([&] { return connector.h2_connections() == 1; });
  CHECK(connector.shed(5) == 1);
  CHECK(connector.h2_connections() == 0);
  CHECK(run(fetch(peer)) == "new ok");
}

TEST_CASE_METHOD(ConnectorFixture, "HTTP/2 connector: closing it fails what is on its connections",
                 "[h2connector]") {
  ScriptedOrigin origin(runtime, [](Stream& stream, int) -> Task<> {
    H2OriginPeer peer(stream);
    co_await peer.until([] { return false; });
  });
  HttpPeer peer = h2_peer(origin.address());
  std::string result;
  auto client = [](ConnectorFixture* self, const HttpPeer* peer, std::string* result) -> Task<> {
    *result = co_await self->fetch(*peer);
  };
  TaskGroup group(runtime);
  group.spawn(client(this, &peer, &result));
  wait_until([&] { return connector.h2_connections() == 1; });
  connector.close();
  group.join_blocking();
  CHECK(result == "ConnectionClosed");
}

TEST_CASE_METHOD(ConnectorFixture, "HTTP/2 connector: the tracer hears of each connection",
                 "[h2connector]") {
  struct Counting : ConnectionTracer {
    void on_connected(const HttpPeer&) noexcept override { ++connected; }
    void on_disconnected(const HttpPeer&) noexcept override { ++disconnected; }
    std::atomic<int> connected{0};
    std::atomic<int> disconnected{0};
  };
  auto tracer = std::make_shared<Counting>();
  ScriptedOrigin origin(runtime, answer_h2_with("ok"));
  HttpPeer peer = h2_peer(origin.address());
  peer.options.edit_rare().tracer = tracer;
  CHECK(run(fetch(peer)) == "new ok");
  CHECK(run(fetch(peer)) == "reused ok");
  CHECK(tracer->connected == 1);
  connector.close();
  CHECK(tracer->disconnected == 1);
}

TEST_CASE_METHOD(ConnectorFixture, "HTTP/2 connector: no retry for a peer that must speak HTTP/2",
                 "[h2connector]") {
  HttpPeer peer = h2_peer(*SocketAddress::parse("192.0.2.1:80"));
  Error error = Error::explain(ErrorType::H2Downgrade, "");
  error.set_retry(true);
  connector.note_downgrade(peer, error);
  CHECK_FALSE(error.retry());
  peer.options.alpn = Alpn::H2H1;
  error.set_retry(true);
  connector.note_downgrade(peer, error);
  CHECK(error.retry());
}

// What is cancelled resets its stream; the connection goes on.
TEST_CASE_METHOD(ConnectorFixture, "HTTP/2 session: cancelled at each phase", "[h2connector]") {
  enum class At { Sent, Head, Body, Room, Queued };
  At at = GENERATE(At::Sent, At::Head, At::Body, At::Room, At::Queued);
  ResetSeen reset;
  bool is_post = at == At::Room || at == At::Queued;
  auto reads = is_post ? H2OriginPeer::Reads::No : H2OriginPeer::Reads::Yes;
  ScriptedOrigin origin(runtime, reset.script(reads, at == At::Body));
  HttpPeer peer = h2_peer(origin.address());
  auto step = [](ClientSession& session, At at, ResetSeen* origin, Event* reached) -> Task<> {
    co_await (at == At::Room || at == At::Queued ? send_post(session) : send_get(session));
    if (at == At::Queued) {  // all of it is written, and waits for the peer's window
      co_await session.write_body(Bytes::copy_of(std::string(100000, 'x')), EndOfStream::Yes);
    }
    if (at == At::Body) {
      co_await session.read_head();
      co_await session.read_body();
    }
    co_await origin->arrived.wait();
    reached->set();
    if (at == At::Sent || at == At::Queued) co_return;
    if (at == At::Head) co_await session.read_head();
    if (at == At::Body) co_await session.read_body();
    for (;;) co_await session.write_body(Bytes::copy_of(std::string(10000, 'x')), EndOfStream::No);
  };
  auto scenario = [](ConnectorFixture* self, HttpPeer* peer, At at, decltype(step) run_step,
                     ResetSeen* reset) -> Task<> {
    UpstreamSession upstream = co_await self->connector.get_http_session(*peer);
    Event reached;
    auto wait = [](Event* event) -> Task<> {
      co_await event->wait();
      co_await sleep_for(5ms);
    };
    co_await when_any(run_step(*upstream.session, at, reset, &reached), wait(&reached));
  };
  REQUIRE(block_on(runtime, scenario(this, &peer, at, step, &reset)));
  wait_until([&] { return reset.seen.is_set(); });
  CHECK(reset.code == static_cast<int>(h2::ErrorCode::Cancel));
  CHECK(run(fetch(peer)) == "reused ok");
  CHECK(origin.connections() == 1);
}

TEST_CASE_METHOD(ConnectorFixture,
                 "HTTP/2 session: an interruption ends the read that waits, or the next",
                 "[h2connector]") {
  bool is_before = GENERATE(false, true);
  ResetSeen reset;
  ScriptedOrigin origin(runtime, reset.script(H2OriginPeer::Reads::Yes, false));
  HttpPeer peer = h2_peer(origin.address());
  auto scenario = [](ConnectorFixture* self, HttpPeer* peer, bool is_before) -> Task<std::string> {
    UpstreamSession upstream = co_await self->connector.get_http_session(*peer);
    co_await send_get(*upstream.session);
    auto interrupt = [](ClientSession* session) -> Task<> {
      session->interrupt(Error::explain(ErrorType::Cancelled, "the client left").into_down());
      return {};
    };
    auto interrupt_later = [](ClientSession* session) -> Task<> {
      co_await sleep_for(5ms);
      session->interrupt(Error::explain(ErrorType::Cancelled, "the client left").into_down());
    };
    auto* session = upstream.session.get();
    Task<> interrupting = is_before ? interrupt(session) : interrupt_later(session);
    auto results = co_await when_all(std::move(interrupting), session->read_head()).as_result();
    co_return results ? "a head" : std::string(results.error().type_name());
  };
  auto result = block_on(runtime, scenario(this, &peer, is_before));
  CHECK(*result == "Cancelled");
}
