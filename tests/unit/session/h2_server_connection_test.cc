// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The life of an HTTP/2 connection: deadlines, shutdown, clients that break the rules.
#include <catch2/catch.hpp>

#include "unit/session/h2_wire.h"

using namespace pingora;
using namespace pingora::test;

namespace {

constexpr MemoryStreamOptions kRoomy{.capacity = 1 << 24};
constexpr auto kSoon = std::chrono::milliseconds(30);

Task<> no_content(ServerSession& session) {
  co_await session.write_head(response(204), EndOfStream::Yes);
}

struct Talk {
  explicit Talk(H2ServerUnderTest::Handler handler = no_content, ServerSessionOptions options = {})
      : server(std::move(handler), std::move(options)) {
    auto [near, far] = MemoryStream::make_pair(kRoomy, kRoomy);
    peer.emplace(std::move(far));
    server.start(std::move(near));
  }
  void run(Task<> task) { REQUIRE(server.run_side(std::move(task)).has_value()); }

  H2ServerUnderTest server;
  std::optional<H2Peer> peer;
};

Task<> wait_for(Event& event) { co_await event.wait(); }

// What comes back for raw bytes: everything up to the end of the connection.
Task<> converse_raw(Stream& stream, std::string text, std::string* got) {
  co_await stream.write({text});
  *got = co_await read_all(stream);
}

std::string answer_to(std::string text, ServerSessionOptions options = {}) {
  auto [near, far] = MemoryStream::make_pair(kRoomy, kRoomy);
  H2ServerUnderTest server(no_content, std::move(options));
  server.start(std::move(near));
  std::string got;
  REQUIRE(server.run_side(converse_raw(*far, std::move(text), &got)).has_value());
  return got;
}

}  // namespace

TEST_CASE("H2 connection: serves many requests at once", "[h2]") {
  Talk talk;
  H2Peer& peer = *talk.peer;
  talk.run(peer.until([&] { return peer.engine().peer_settings().are_known; }));
  for (int round = 0; round < 3; ++round) {
    std::vector<H2Response*> all;
    for (int i = 0; i < 100; ++i) all.push_back(&peer.begin({}));
    for (H2Response* each : all) {
      talk.run(peer.until_complete(*each));
      REQUIRE(each->status() == 204);
      peer.engine().release(*each->stream);
    }
  }
}

TEST_CASE("H2 connection: streams above the limit are refused, also when those before were reset",
          "[h2]") {
  ServerSessionOptions options;
  options.h2.engine.concurrent_streams_max = 4;
  Event may_answer;
  Talk talk(
      [&may_answer](ServerSession& session) -> Task<> {
        co_await may_answer.wait();
        co_await no_content(session);
      },
      options);
  H2Peer& peer = *talk.peer;
  // Before the server's settings are known.
  std::vector<H2Response*> all;
  for (int i = 0; i < 4; ++i) all.push_back(&peer.begin({}));
  talk.run(peer.flush());
  for (H2Response* each : all) peer.engine().reset(*each->stream, h2::ErrorCode::Cancel);
  H2Response& fifth = peer.begin({});
  talk.run(peer.until([&] { return fifth.reset.has_value(); }));
  CHECK(fifth.reset == h2::ErrorCode::RefusedStream);
  may_answer.set();
}

TEST_CASE("H2 connection: a shutdown lets requests on their way in, and ends with the last",
          "[h2]") {
  Event may_answer;
  Talk talk([&may_answer](ServerSession& session) -> Task<> {
    co_await may_answer.wait();
    co_await no_content(session);
  });
  H2Peer& peer = *talk.peer;
  H2Response& first = peer.begin({});
  talk.run(peer.until([&] { return peer.engine().peer_settings().are_known; }));
  talk.server.begin_shutdown();
  talk.run(peer.until([&] { return peer.goaways == 2; }));
  CHECK(peer.goaway->code == h2::ErrorCode::NoError);
  CHECK(peer.goaway->last_stream_id == 1);
  CHECK_FALSE(first.is_complete);
  may_answer.set();
  talk.run(peer.until_closed());
  CHECK(first.status() == 204);
  talk.run(wait_for(talk.server.ended()));
}

TEST_CASE("H2 connection: a shutdown does not wait long for a client that does not answer",
          "[h2]") {
  ServerSessionOptions options;
  options.h2.goaway_grace = kSoon;
  options.h2.linger_timeout = kSoon;
  Talk talk(no_content, options);
  H2Peer& peer = *talk.peer;
  talk.run(peer.until([&] { return peer.engine().peer_settings().are_known; }));
  talk.server.begin_shutdown();
  talk.run(wait_for(talk.server.ended()));
}

TEST_CASE("H2 connection: an idle one is closed after its time", "[h2]") {
  ServerSessionOptions options;
  options.keepalive_timeout = kSoon;
  Talk talk(no_content, options);
  H2Response& got = talk.peer->begin({});
  talk.run(talk.peer->until_complete(got));
  talk.run(talk.peer->until_closed());
  CHECK(talk.peer->goaway->code == h2::ErrorCode::NoError);

  ServerSessionOptions first_options;
  first_options.first_request_timeout = kSoon;
  Talk silent(no_content, first_options);
  silent.run(silent.peer->until_closed());
  CHECK(silent.peer->goaways == 1);
}

TEST_CASE("H2 connection: ends after its number of requests", "[h2]") {
  for (std::uint32_t max : {2, 3}) {
    ServerSessionOptions options;
    options.h2.requests_per_connection_max = max;
    Talk talk(no_content, options);
    for (int i = 0; i < 2; ++i) {
      H2Response& got = talk.peer->begin({});
      talk.run(talk.peer->until_complete(got));
      CHECK(got.status() == 204);
    }
    if (max == 2) {
      talk.run(talk.peer->until_closed());
    } else {
      CHECK(talk.peer->goaways == 0);
    }
  }
}

TEST_CASE("H2 connection: a client that does not answer a ping is given up", "[h2]") {
  ServerSessionOptions options;
  options.h2.ping_interval = kSoon;
  options.h2.ping_timeout = kSoon;
  options.h2.linger_timeout = kSoon;
  Talk talk(no_content, options);
  H2Response& got = talk.peer->begin({});
  talk.run(talk.peer->until_complete(got));
  talk.run(wait_for(talk.server.ended()));
}

TEST_CASE("H2 connection: a client without SETTINGS is given up", "[h2]") {
  ServerSessionOptions options;
  options.h2.settings_timeout = kSoon;
  CHECK(goaway_code(answer_to(std::string(kPreface), options)) ==
        static_cast<int>(h2::ErrorCode::SettingsTimeout));
}

TEST_CASE("H2 connection: a client that breaks the rules is told, and cut off", "[h2]") {
  // No frame of SETTINGS first.
  CHECK(goaway_code(answer_to(std::string(kPreface) + std::string(9, '\0'))) ==
        static_cast<int>(h2::ErrorCode::ProtocolError));
  // A frame that is too large.
  CHECK(goaway_code(answer_to(std::string(kPreface) +
                              std::string("\0\0\0\4\0\0\0\0\0\xff\xff\xff\0\0\0\0\0\1", 18))) ==
        static_cast<int>(h2::ErrorCode::FrameSizeError));
  CHECK(goaway_code(answer_to("GET / HTTP/1.1\r\n\r\n" + std::string(100, 'x'))) ==
        static_cast<int>(h2::ErrorCode::ProtocolError));
}

TEST_CASE("H2 connection: a head that does not end is given up", "[h2]") {
  ServerSessionOptions options;
  options.h2.engine.head_timeout = kSoon;
  // HEADERS without END_HEADERS, :method GET.
  CHECK(goaway_code(answer_to(
            std::string(kPreface) + std::string("\0\0\0\4\0\0\0\0\0\0\0\1\1\0\0\0\0\1\x82", 19),
            options)) == static_cast<int>(h2::ErrorCode::EnhanceYourCalm));
}
