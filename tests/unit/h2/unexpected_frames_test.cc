// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Frames that can not be honest, where others of their kind are passed over: on streams that have
// ended (RFC 9113 §5.1), before a head (§8.1.1), PRIORITY that depends on itself (RFC 7540 §5.3.1).
// Each at every cut.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pingora/h2/engine.h"
#include "unit/h2/engine_pair.h"
#include "unit/h2/frame_builder.h"

namespace pingora::h2 {
namespace {

using namespace testing;
using Kind = Event::Kind;

const std::string kPost = headers(1, request({}, "/", "POST"), 0);
const Fields kOk = {{":status", "200"}};

std::string priority(std::uint32_t stream, std::uint32_t dependency) {
  return frame(FrameType::Priority, 0, stream, number32(dependency) + "\1");
}

// The code of the GOAWAY in what an engine sends; NoError if there is none.
ErrorCode goaway_of(Engine& engine) {
  auto frames = parse_frames(take_all(engine));
  const ParsedFrame* found = find_frame(frames, FrameType::Goaway);
  return found != nullptr ? static_cast<ErrorCode>(found->code()) : ErrorCode::NoError;
}

struct Server {
  Server() : engine(Role::Server, options, kStart) {}
  // Answers the only request that there is, and lets it go.
  void respond() {
    for (const Event& event : stream_events_of(engine)) {
      if (event.kind != Kind::RequestHead) continue;
      auto submitted = engine.submit_response(*event.stream, ResponseHeader(StatusCode(200)), {},
                                              EndOfStream::Yes);
      REQUIRE(submitted);
      take_all(engine);
      engine.release(*event.stream);
    }
    stream_events_of(engine);
  }
  EngineOptions options;
  Engine engine;
};

struct Client {
  explicit Client(int requests) : engine(Role::Client, options, kStart) {
    for (int i = 0; i < requests; ++i) {
      streams.push_back(*engine.submit_request(get("/"), {}, EndOfStream::Yes));
    }
    take_all(engine);
  }
  EngineOptions options;
  Engine engine;
  std::vector<EngineStream*> streams;
};

// What a client that has asked for one thing is told of `all`, which its connection survives.
std::vector<Event> events_behind(const std::string& all, std::size_t piece) {
  Client client(1);
  CHECK(feed(client.engine, all, piece));
  auto events = stream_events_of(client.engine);
  CHECK(goaway_of(client.engine) == ErrorCode::NoError);
  return events;
}

}  // namespace

TEST_CASE("H2 engine: DATA behind the client's reset ends the connection", "[h2]") {
  std::string all = client_start() + kPost + rst_stream(1) + data(1, "late", kEndStream);
  for (std::size_t piece = 0; piece <= all.size(); ++piece) {
    Server server;
    CHECK_FALSE(feed(server.engine, all, piece));
    CHECK(server.engine.counters().protocol_errors == 1);
    CHECK(goaway_of(server.engine) == ErrorCode::StreamClosed);
  }
}

TEST_CASE("H2 engine: DATA before the client's reset is no error", "[h2]") {
  std::string all = client_start() + kPost + data(1, "early") + rst_stream(1) + ping();
  for (std::size_t piece = 0; piece <= all.size(); ++piece) {
    Server server;
    CHECK(feed(server.engine, all, piece));
    CHECK(goaway_of(server.engine) == ErrorCode::NoError);
  }
}

TEST_CASE("H2 engine: a frame behind the end of a complete exchange ends the connection", "[h2]") {
  for (const std::string& late :
       {data(1, "late"), data(1, ""), data(1, "", kEndStream), headers(1, request())}) {
    for (std::size_t piece = 0; piece <= late.size(); ++piece) {
      Server server;
      REQUIRE(feed(server.engine, client_start() + headers(1, request())));
      server.respond();
      CHECK_FALSE(feed(server.engine, late, piece));
      CHECK(goaway_of(server.engine) == ErrorCode::StreamClosed);
    }
  }
}

TEST_CASE("H2 engine: DATA of a client that has ended its request ends the connection", "[h2]") {
  Server server;
  feed(server.engine, client_start() + headers(1, request()) + data(1, "late"));
  CHECK(goaway_of(server.engine) == ErrorCode::StreamClosed);
}

TEST_CASE("H2 engine: DATA on its way to a stream that we have reset is passed over", "[h2]") {
  Server server;
  REQUIRE(feed(server.engine, client_start() + kPost));
  for (const Event& event : stream_events_of(server.engine)) {
    server.engine.reset(*event.stream, ErrorCode::Cancel);
    server.engine.release(*event.stream);
  }
  std::int64_t used = server.engine.receive_window_used();
  std::string late = data(1, std::string(1000, 'x')) + data(1, "", kEndStream);
  CHECK(feed(server.engine, late));  // before the reset is out
  take_all(server.engine);
  CHECK(feed(server.engine, late));
  CHECK(goaway_of(server.engine) == ErrorCode::NoError);
  CHECK(stream_events_of(server.engine).empty());
  // It was taken off the connection's window, and given back.
  CHECK(server.engine.receive_window_used() - used <= 2000);
  CHECK(server.engine.unconsumed() == 0);
}

TEST_CASE("H2 engine: empty DATA to a stream that we have reset is budgeted", "[h2]") {
  Server server;
  server.options.empty_data = {4, 0};
  Engine engine(Role::Server, server.options, kStart);
  REQUIRE(feed(engine, client_start() + kPost));
  for (const Event& event : stream_events_of(engine)) engine.release(*event.stream);
  take_all(engine);
  for (int i = 0; i < 4; ++i) REQUIRE(feed(engine, data(1, "")));
  CHECK_FALSE(feed(engine, data(1, "")));
  CHECK(engine.counters().empty_data_floods == 1);
  CHECK(goaway_of(engine) == ErrorCode::EnhanceYourCalm);
}

TEST_CASE("H2 engine: a PRIORITY that depends on itself ends the connection", "[h2]") {
  std::string all = client_start() + headers(1, request()) + priority(3, 3) + ping();
  for (std::size_t piece = 0; piece <= all.size(); ++piece) {
    Server server;
    CHECK_FALSE(feed(server.engine, all, piece));
    CHECK(goaway_of(server.engine) == ErrorCode::ProtocolError);
  }
  Server server;
  CHECK(feed(server.engine, client_start() + priority(3, 1) + priority(1, 0) + priority(5, 3)));
  CHECK(goaway_of(server.engine) == ErrorCode::NoError);
}

TEST_CASE("H2 engine: a PRIORITY of the wrong size is an error of framing", "[h2]") {
  for (std::size_t size : {0, 1, 4, 6, 20}) {
    std::string all = client_start() + headers(1, request()) +
                      frame(FrameType::Priority, 0, 3, std::string(size, '\3')) + ping();
    for (std::size_t piece : {std::size_t{0}, std::size_t{1}, std::size_t{7}}) {
      Server server;
      feed(server.engine, all, piece);
      CHECK(goaway_of(server.engine) == ErrorCode::FrameSizeError);
    }
  }
}

TEST_CASE("H2 engine: DATA before a response's head ends the stream and no other", "[h2]") {
  std::string all = settings() + data(1, "what") + data(1, "is this", kEndStream) +
                    headers(3, kOk, 0) + data(3, "good", kEndStream);
  for (std::size_t piece = 0; piece <= all.size(); ++piece) {
    Client client(2);
    CHECK(feed(client.engine, all, piece));
    auto frames = parse_frames(take_all(client.engine));
    CHECK(find_frame(frames, FrameType::Goaway) == nullptr);
    const ParsedFrame* reset = find_frame(frames, FrameType::RstStream);
    REQUIRE(reset != nullptr);
    CHECK(reset->stream == 1);
    CHECK(static_cast<ErrorCode>(reset->code()) == ErrorCode::ProtocolError);
    CHECK(client.engine.counters().malformed_messages == 1);

    std::string body;
    int resets = 0;
    for (const Event& event : stream_events_of(client.engine)) {
      if (event.kind == Kind::Reset) {
        ++resets;
        CHECK(event.stream == client.streams[0]);
        CHECK(event.code == ErrorCode::ProtocolError);
      } else {
        CHECK(event.stream == client.streams[1]);
        body += event.data.view();
      }
    }
    CHECK(resets == 1);
    CHECK(body == "good");
    for (EngineStream* stream : client.streams) client.engine.release(*stream);
    CHECK(client.engine.streams() == 0);
    CHECK(client.engine.unconsumed() == 0);
  }
}

TEST_CASE("H2 engine: DATA behind a 1xx response is before the head", "[h2]") {
  std::string all = settings() + headers(1, {{":status", "103"}}, 0) + data(1, "x") + ping();
  for (std::size_t piece = 0; piece <= all.size(); ++piece) {
    auto events = events_behind(all, piece);
    REQUIRE(events.size() == 2);
    CHECK(events[0].kind == Kind::Informational);
    CHECK(events[1].kind == Kind::Reset);
  }
}

TEST_CASE("H2 engine: an empty stream without a head is malformed, the connection is not", "[h2]") {
  std::string all = settings() + data(1, "", kEndStream) + ping();
  for (std::size_t piece = 0; piece <= all.size(); ++piece) {
    auto events = events_behind(all, piece);
    REQUIRE(events.size() == 1);
    CHECK(events[0].code == ErrorCode::ProtocolError);
  }
}

}  // namespace pingora::h2
