// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Back-pressure on streams of an HTTP/2 connection, and streams that end early.
#include <atomic>
#include <catch2/catch.hpp>

#include "unit/session/h2_wire.h"

using namespace pingora;
using namespace pingora::test;

namespace {

constexpr MemoryStreamOptions kRoomy{.capacity = 1 << 24};
constexpr std::size_t kLarge = 1'000'000;

Task<> write_large(ServerSession& session) {
  co_await session.write_head(response(200), EndOfStream::No);
  Bytes piece = Bytes::copy_of(std::string(10'000, 'x'));
  for (std::size_t sent = 0; sent < kLarge; sent += piece.size()) {
    co_await session.write_body(piece, EndOfStream::No);
  }
  co_await session.write_body({}, EndOfStream::Yes);
}

Task<> no_content(ServerSession& session) {
  co_await session.write_head(response(204), EndOfStream::Yes);
}

// What became of the one stream that a test looks at.
struct Witness {
  std::atomic<std::size_t> sent{0};
  Event is_there;   // the request
  Event is_over;    // the handler
  Event may_go_on;  // set by the test
  std::string error;
};

struct Talk {
  explicit Talk(H2ServerUnderTest::Handler handler, ServerSessionOptions options = {})
      : server(std::move(handler), std::move(options)) {
    auto [near, far] = MemoryStream::make_pair(kRoomy, kRoomy);
    peer.emplace(std::move(far));
    server.start(std::move(near));
  }
  ~Talk() { peer.reset(); }
  void run(Task<> task) { REQUIRE(server.run_side(std::move(task)).has_value()); }

  H2ServerUnderTest server;
  std::optional<H2Peer> peer;
};

Task<> wait_for(Event& event) { co_await event.wait(); }

}  // namespace

TEST_CASE("H2 flow: a stream whose client does not read waits, and the others run", "[h2]") {
  Witness witness;
  Talk talk([&witness](ServerSession& session) -> Task<> {
    if (session.req_header().path() != "/slow") co_return co_await no_content(session);
    co_await session.write_head(response(200), EndOfStream::No);
    Bytes piece = Bytes::copy_of(std::string(10'000, 'x'));
    while (witness.sent < kLarge) {
      co_await session.write_body(piece, EndOfStream::No);
      witness.sent += piece.size();
    }
    co_await session.write_body({}, EndOfStream::Yes);
  });
  H2Peer& peer = *talk.peer;
  H2Response& slow = peer.begin({.target = "/slow"});
  peer.set_reads(slow, H2Peer::Reads::No);
  for (int i = 0; i < 100; ++i) {
    H2Response& fast = peer.begin({.target = "/fast"});
    talk.run(peer.until_complete(fast));
    CHECK(fast.status() == 204);
    peer.engine().release(*fast.stream);
  }
  // The client's window, and what a stream may buffer.
  CHECK(slow.body.size() <= 64 * 1024);
  CHECK(witness.sent < 200'000);
  peer.set_reads(slow, H2Peer::Reads::Yes);
  talk.run(peer.until_complete(slow));
  CHECK(slow.body.size() == kLarge);
  CHECK(slow.is_complete);
}

TEST_CASE("H2 flow: a body that nobody reads stops its stream only", "[h2]") {
  Witness witness;
  Talk talk([&witness](ServerSession& session) -> Task<> {
    if (session.req_header().path() == "/slow") co_await witness.may_go_on.wait();
    co_await echo(session);
  });
  H2Peer& peer = *talk.peer;
  H2Response& slow = peer.begin({.method = "POST", .target = "/slow", .end = EndOfStream::No});
  peer.write(slow, std::string(kLarge, 's'), EndOfStream::Yes);
  for (int i = 0; i < 20; ++i) {
    H2Response& fast = peer.begin({.method = "POST", .target = "/", .end = EndOfStream::No});
    peer.write(fast, std::string(100'000, 'f'), EndOfStream::Yes);
    talk.run(peer.until_complete(fast));
    CHECK(fast.body.size() == 100'000);
    peer.engine().release(*fast.stream);
  }
  CHECK(slow.stream->send_buffered() > kLarge / 2);
  witness.may_go_on.set();
  talk.run(peer.until_complete(slow));
  CHECK(slow.body.size() == kLarge);
}

TEST_CASE("H2 flow: a stalled stream is given up", "[h2]") {
  ServerSessionOptions options;
  options.write_timeout = std::chrono::milliseconds(30);
  Witness witness;
  Talk talk(
      [&witness](ServerSession& session) -> Task<> {
        Result<void> written = co_await write_large(session).as_result();
        witness.error = written ? "none" : to_string(written.error().type());
        witness.is_over.set();
      },
      options);
  H2Response& got = talk.peer->begin({});
  talk.peer->set_reads(got, H2Peer::Reads::No);
  talk.run(talk.peer->until([&] { return got.reset.has_value(); }));
  talk.run(wait_for(witness.is_over));
  CHECK(witness.error == "WriteTimedout");
  CHECK(got.reset == h2::ErrorCode::Cancel);
}

TEST_CASE("H2 flow: a response that waits behind its session is given up too", "[h2]") {
  ServerSessionOptions options;
  options.write_timeout = std::chrono::milliseconds(30);
  Talk talk(
      [](ServerSession& session) -> Task<> {
        co_await session.write_head(response(200), EndOfStream::No);
        co_await session.write_body(Bytes::copy_of(std::string(100'000, 'x')), EndOfStream::Yes);
      },
      options);
  H2Response& got = talk.peer->begin({});
  talk.peer->set_reads(got, H2Peer::Reads::No);
  talk.run(talk.peer->until([&] { return got.reset.has_value(); }));
  CHECK(got.reset == h2::ErrorCode::Cancel);
  CHECK_FALSE(got.is_complete);
}

TEST_CASE("H2 flow: a body that stalls or comes too slowly is given up", "[h2]") {
  ServerSessionOptions stalls;
  stalls.body_read_timeout = std::chrono::milliseconds(30);
  ServerSessionOptions is_slow;
  is_slow.body_rate_grace = std::chrono::milliseconds(30);
  for (const ServerSessionOptions& options : {stalls, is_slow}) {
    Witness witness;
    Talk talk(
        [&witness](ServerSession& session) -> Task<> {
          witness.error = co_await read_whole_body(session);
          co_await no_content(session);
        },
        options);
    H2Response& got = talk.peer->begin({.method = "POST", .end = EndOfStream::No});
    talk.peer->write(got, "ab");
    talk.run(talk.peer->until_complete(got));
    CHECK(witness.error == "ab<ReadTimedout>");
  }
}

namespace {

struct Watching final : ClosedWatch {
  explicit Watching(Witness& told) : witness(told) {}
  void on_downstream_closed(Error error) override {
    witness.error = to_string(error.type());
    closed.set();
  }
  Witness& witness;
  Event closed;
};

// The phases in which a client may leave.
Task<> read_forever(ServerSession& session, Witness& witness) {
  witness.is_there.set();
  witness.error = co_await read_whole_body(session);
}
Task<> write_forever(ServerSession& session, Witness& witness) {
  witness.is_there.set();
  Result<void> written = co_await write_large(session).as_result();
  witness.error = written ? "none" : to_string(written.error().type());
}
Task<> watch_forever(ServerSession& session, Witness& witness) {
  Watching watching(witness);
  session.start_closed_watch(watching);
  witness.is_there.set();
  co_await watching.closed.wait();
}
Task<> begin_later(ServerSession& session, Witness& witness) {
  witness.is_there.set();
  co_await witness.may_go_on.wait();
  Result<void> written =
      co_await session.write_head(response(200, "0"), EndOfStream::Yes).as_result();
  witness.error = written ? "none" : to_string(written.error().type());
}

using Phase = Task<> (*)(ServerSession&, Witness&);

// Begins a request, and calls `leave` once its handler is where it waits.
struct Leaving {
  explicit Leaving(Phase phase)
      : talk([this, phase](ServerSession& session) -> Task<> {
          if (session.req_header().path() != "/left") co_return co_await no_content(session);
          co_await phase(session, witness);
          witness.is_over.set();
        }) {
    got = &talk.peer->begin({.method = "POST", .target = "/left", .end = EndOfStream::No});
    talk.peer->set_reads(*got, H2Peer::Reads::No);
    talk.run(talk.peer->flush());
    talk.run(wait_for(witness.is_there));
  }

  Witness witness;
  Talk talk;
  H2Response* got = nullptr;
};

constexpr Phase kPhases[] = {read_forever, write_forever, watch_forever, begin_later};

}  // namespace

TEST_CASE("H2 flow: a stream that is reset is noticed in every phase", "[h2]") {
  for (Phase phase : kPhases) {
    Leaving leaving(phase);
    H2Peer& peer = *leaving.talk.peer;
    peer.engine().reset(*leaving.got->stream, h2::ErrorCode::Cancel);
    H2Response& other = peer.begin({});
    leaving.talk.run(peer.until_complete(other));
    leaving.witness.may_go_on.set();
    leaving.talk.run(wait_for(leaving.witness.is_over));
    CHECK(leaving.witness.error.ends_with(phase == read_forever ? "<ConnectionClosed>"
                                                                : "ConnectionClosed"));
    CHECK(other.status() == 204);
  }
}

TEST_CASE("H2 flow: a connection that is lost is noticed in every phase", "[h2]") {
  for (Phase phase : kPhases) {
    Leaving leaving(phase);
    leaving.talk.peer.reset();
    leaving.talk.run(wait_for(leaving.talk.server.ended()));
    leaving.witness.may_go_on.set();
    leaving.talk.run(wait_for(leaving.witness.is_over));
    CHECK(leaving.witness.error.ends_with(phase == read_forever ? "<ConnectionClosed>"
                                                                : "ConnectionClosed"));
  }
}

TEST_CASE("H2 flow: sessions and connections may be cancelled in every phase", "[h2]") {
  for (Phase phase : kPhases) {
    Leaving leaving(phase);
    leaving.talk.server.stop();
    // Joined. The connection may have gone first, which its session may have seen.
    if (!leaving.witness.is_over.is_set()) continue;
    CHECK(leaving.witness.error.ends_with(phase == read_forever ? "<ConnectionClosed>"
                                                                : "ConnectionClosed"));
  }
}
