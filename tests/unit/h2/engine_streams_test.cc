// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// The life of streams and of the connection, engine against engine: bodies and windows, trailers,
// resets, GOAWAY, priorities, extended CONNECT.
#include <algorithm>
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

EngineStream& open(Pair& pair, const RequestHeader& request, EndOfStream end) {
  auto stream = pair.client.submit_request(request, {}, end);
  REQUIRE(stream.has_value());
  return **stream;
}

RequestHeader post(std::string_view path = "/") {
  RequestHeader request = get(path);
  static_cast<void>(request.set_method(Method::Post));
  return request;
}

// The stream of the next request that the server sees.
EngineStream& accept(Pair& pair) {
  pair.pump();
  while (auto event = pair.server.next_event()) {
    if (event->kind == Kind::RequestHead) return *event->stream;
  }
  FAIL("no request");
  throw 0;
}

Bytes bytes(std::size_t size, char fill = 'a') { return Bytes::copy_of(std::string(size, fill)); }

// Takes the data that an engine has, and how much that is.
std::size_t drain(Engine& engine) {
  std::size_t size = 0;
  while (auto event = engine.next_event()) {
    if (event->kind != Kind::Data) continue;
    size += event->data.size();
    engine.consume(*event->stream, event->data.size());
  }
  return size;
}

}  // namespace

TEST_CASE("H2 engine: an exchange is the same however its bytes are cut", "[h2]") {
  for (std::size_t piece : {0, 1, 2, 3, 7, 16, 1000}) {
    INFO("pieces of " << piece);
    Pair pair;
    RequestHeader request = post("/upload");
    REQUIRE(request.insert_header(HeaderId::ContentLength, "40000"));
    REQUIRE(request.insert_header(HeaderId::Te, "trailers"));
    EngineStream& sent = open(pair, request, EndOfStream::No);
    pair.client.submit_data(sent, bytes(40000), EndOfStream::Yes);
    pair.pump(piece);

    std::string body;
    EngineStream* stream = nullptr;
    EndOfStream end = EndOfStream::No;
    for (Event& event : stream_events_of(pair.server)) {
      if (event.kind == Kind::RequestHead) {
        stream = event.stream;
        CHECK(event.body.bytes == 40000);
        CHECK(
            lines_of(event.request->headers()) ==
            std::vector<std::string>{"Host: example.com", "Content-Length: 40000", "TE: trailers"});
      }
      body += event.data.view();
      end = event.end;
    }
    REQUIRE(stream != nullptr);
    CHECK(body == std::string(40000, 'a'));
    CHECK(end == EndOfStream::Yes);
    pair.server.consume(*stream, body.size());

    pair.server.submit_informational(*stream, ResponseHeader(103));
    REQUIRE(pair.server.submit_response(*stream, ResponseHeader(200), {}, EndOfStream::No));
    pair.server.submit_data(*stream, bytes(20000, 'b'), EndOfStream::No);
    HeaderMap trailers;
    REQUIRE(trailers.append("Grpc-Status", "0"));
    REQUIRE(trailers.append("Content-Length", "7"));
    pair.server.submit_trailers(*stream, trailers);
    pair.pump(piece);

    auto events = stream_events_of(pair.client);
    REQUIRE(events.size() >= 4);
    CHECK(events[0].kind == Kind::Informational);
    CHECK(events[0].response->status() == 103);
    CHECK(events[1].kind == Kind::ResponseHead);
    std::size_t received = 0;
    for (const Event& event : events) received += event.data.size();
    CHECK(received == 20000);
    CHECK(events[events.size() - 2].kind == Kind::Trailers);
    CHECK(lines_of(*events[events.size() - 2].trailers) ==
          std::vector<std::string>{"Grpc-Status: 0"});
    CHECK(events.back().kind == Kind::Closed);
    CHECK(stream_events_of(pair.server).back().kind == Kind::Closed);
    pair.server.release(*stream);
    pair.client.release(sent);
    CHECK(pair.server.streams() + pair.client.streams() == 0);
    CHECK(pair.server.unconsumed() + pair.client.unconsumed() == 0);
  }
}

TEST_CASE("H2 engine: an exchange is the same cut once at every byte", "[h2]") {
  Pair recorded;
  EngineStream& first = open(recorded, get("/one"), EndOfStream::Yes);
  EngineStream& second = open(recorded, post("/two"), EndOfStream::No);
  recorded.client.submit_data(second, bytes(300), EndOfStream::Yes);
  static_cast<void>(first);
  std::string wire = take_all(recorded.client);

  auto read = [&](std::string_view a, std::string_view b) {
    EngineOptions options;
    Engine engine(Role::Server, options, kStart);
    REQUIRE(feed(engine, a));
    REQUIRE(feed(engine, b));
    std::string seen;
    for (Event& event : stream_events_of(engine)) {
      if (event.kind == Kind::RequestHead) {
        seen += std::string(event.request->raw_target()) + " ";
        for (const std::string& line : lines_of(event.request->headers())) seen += line + " ";
      }
      seen += event.data.view();
    }
    return seen;
  };
  std::string whole = read(wire, "");
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    INFO("cut at " << cut);
    REQUIRE(read(std::string_view(wire).substr(0, cut), std::string_view(wire).substr(cut)) ==
            whole);
  }
}

// Windows.

TEST_CASE("H2 engine: a window opens when the reader has consumed, and not before", "[h2]") {
  EngineOptions server_options;
  server_options.stream_window_bytes = server_options.stream_window_bytes_max = 1000;
  Pair pair(server_options);
  EngineStream& sent = open(pair, post(), EndOfStream::No);
  EngineStream& stream = accept(pair);
  pair.client.submit_data(sent, bytes(5000), EndOfStream::Yes);
  pair.pump();
  CHECK(stream.unconsumed() == 1000);
  CHECK(sent.send_buffered() == 4000);
  pair.pump();
  CHECK(stream.unconsumed() == 1000);

  pair.server.consume(stream, 600);
  pair.pump();
  CHECK(stream.unconsumed() == 1000);
  CHECK(sent.send_buffered() == 3400);
  std::size_t taken = 600;
  for (int i = 0; i < 20; ++i) {
    taken += stream.unconsumed();
    pair.server.consume(stream, stream.unconsumed());
    pair.pump();
  }
  CHECK(taken == 5000);
  CHECK(pair.server.unconsumed() == 0);
  CHECK(stream.is_receive_done());
}

TEST_CASE("H2 engine: accounting of windows returns to zero", "[h2]") {
  Pair pair;
  std::int64_t server_window = 0;
  // Many times the connection's window, read in different ways, and given up in different ways.
  for (int i = 0; i < 200; ++i) {
    EngineStream& sent = open(pair, post(), EndOfStream::No);
    EngineStream& stream = accept(pair);
    for (int piece = 0; piece < 5; ++piece) {
      pair.client.submit_data(sent, bytes(20000), piece == 4 ? EndOfStream::Yes : EndOfStream::No);
      pair.pump();
      if (i % 4 != 1) drain(pair.server);
    }
    if (i % 4 == 2) pair.server.reset(stream, ErrorCode::Cancel);
    if (i % 4 == 3) pair.client.reset(sent, ErrorCode::Cancel);
    pair.pump();
    pair.server.release(stream);
    pair.client.release(sent);
    pair.pump();
    events_of(pair.server);
    events_of(pair.client);
    CHECK(pair.server.unconsumed() == 0);
    CHECK(pair.client.send_buffered() == 0);
    CHECK(pair.server.streams() == 0);
    CHECK(pair.client.streams() == 0);
    server_window = pair.server.receive_window();
    CHECK(server_window == pair.client.send_window());
  }
  EngineOptions defaults;
  CHECK(server_window > defaults.connection_window_bytes / 2);
  CHECK(pair.server.receive_window_used() + server_window >= defaults.connection_window_bytes);
}

TEST_CASE("H2 engine: windows grow where the path holds more, up to their limit", "[h2]") {
  EngineOptions options;
  options.stream_window_bytes = 20000;
  options.stream_window_bytes_max = 100000;
  options.connection_window_bytes = 70000;
  options.connection_window_bytes_max = 150000;
  Pair pair(options);
  EngineStream& sent = open(pair, post(), EndOfStream::No);
  EngineStream& stream = accept(pair);
  std::vector<std::size_t> taken;
  for (int i = 0; i < 30; ++i) {
    pair.client.submit_data(sent, bytes(200000), EndOfStream::No);
    // One way, then the other: what is sent in between is what the windows allow.
    TimePoint now = kStart + std::chrono::seconds(i);
    feed(pair.server, take_all(pair.client), 0, now);
    taken.push_back(stream.unconsumed());
    // At once: what is less than half a window is not given back yet.
    events_of(pair.server);
    pair.server.consume(stream, stream.unconsumed());
    feed(pair.client, take_all(pair.server), 0, now);
  }
  // The connection's window allows no more than its own, less what is not given back yet.
  CHECK(taken.front() == 20000);
  CHECK(*std::max_element(taken.begin(), taken.end()) == 100000);
  CHECK(pair.server.receive_window() > 70000);
  CHECK(pair.server.receive_window() <= 150000);
}

TEST_CASE("H2 engine: windows do not grow for a slow reader, nor beyond what they are", "[h2]") {
  EngineOptions options;
  options.stream_window_bytes = 20000;
  Pair slow(options);
  EngineStream& sent = open(slow, post(), EndOfStream::No);
  EngineStream& stream = accept(slow);
  slow.client.submit_data(sent, bytes(200000), EndOfStream::No);
  for (int i = 0; i < 20; ++i) {
    feed(slow.server, take_all(slow.client));
    events_of(slow.server);
    slow.server.consume(stream, 1000);
    feed(slow.client, take_all(slow.server));
  }
  CHECK(stream.unconsumed() <= 20000);

  options.stream_window_bytes_max = 20000;
  options.connection_window_bytes_max = options.connection_window_bytes;
  Pair fixed(options);
  EngineStream& upload = open(fixed, post(), EndOfStream::No);
  accept(fixed);
  fixed.client.submit_data(upload, bytes(100000), EndOfStream::No);
  fixed.pump();
  drain(fixed.server);
  for (const ParsedFrame& frame : parse_frames(take_all(fixed.server))) {
    CHECK(frame.type == FrameType::WindowUpdate);
  }
}

TEST_CASE("H2 engine: a slow reader does not stop the other streams", "[h2]") {
  Pair pair;
  EngineStream& slow = open(pair, post("/slow"), EndOfStream::No);
  EngineStream& slow_reader = accept(pair);
  EngineStream& fast = open(pair, post("/fast"), EndOfStream::No);
  EngineStream& fast_reader = accept(pair);
  pair.client.submit_data(slow, bytes(1000000), EndOfStream::No);
  std::size_t taken = 0;
  for (int i = 0; i < 100; ++i) {
    pair.client.submit_data(fast, bytes(50000), EndOfStream::No);
    pair.pump();
    events_of(pair.server);
    taken += fast_reader.unconsumed();
    pair.server.consume(fast_reader, fast_reader.unconsumed());
  }
  CHECK(taken == 100 * 50000);
  CHECK(slow_reader.unconsumed() < 70000);
}

TEST_CASE("H2 engine: a writer is told when there is room again", "[h2]") {
  EngineOptions client_options;
  client_options.stream_window_bytes = client_options.stream_window_bytes_max = 20000;
  EngineOptions server_options;
  server_options.send_high_bytes = 30000;
  server_options.send_low_bytes = 10000;
  Pair pair(server_options, client_options);
  open(pair, get("/"), EndOfStream::Yes);
  EngineStream& stream = accept(pair);
  REQUIRE(pair.server.submit_response(stream, ResponseHeader(200), {}, EndOfStream::No));
  pair.server.submit_data(stream, bytes(29999), EndOfStream::No);
  CHECK(stream.is_writable());
  pair.server.submit_data(stream, bytes(1), EndOfStream::No);
  CHECK_FALSE(stream.is_writable());
  pair.pump();
  // The peer's window took 20,000 of them.
  CHECK(stream.send_buffered() == 10000);
  CHECK(stream.is_writable());
  auto events = stream_events_of(pair.server);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == Kind::Writable);
  CHECK(drain(pair.client) == 20000);
}

TEST_CASE("H2 engine: a connection with too much to send stops all writers", "[h2]") {
  EngineOptions server_options;
  server_options.connection_send_bytes_max = 100000;
  EngineOptions client_options;
  client_options.stream_window_bytes = client_options.stream_window_bytes_max = 0x4000;
  Pair pair(server_options, client_options);
  std::vector<EngineStream*> received;
  std::vector<EngineStream*> streams;
  for (int i = 0; i < 5; ++i) {
    received.push_back(&open(pair, get("/"), EndOfStream::Yes));
    streams.push_back(&accept(pair));
    REQUIRE(pair.server.submit_response(*streams.back(), ResponseHeader(200), {}, EndOfStream::No));
  }
  for (EngineStream* stream : streams)
    pair.server.submit_data(*stream, bytes(0x4000), EndOfStream::No);
  pair.pump();
  for (EngineStream* stream : streams)
    pair.server.submit_data(*stream, bytes(20000), EndOfStream::No);
  CHECK_FALSE(streams[4]->is_writable());
  CHECK(pair.server.counters().send_buffer_full == 1);
  for (int i = 0; i < 10; ++i) {
    drain(pair.client);
    pair.pump();
  }
  CHECK(pair.server.send_buffered() == 0);
  for (EngineStream* stream : streams) CHECK(stream->is_writable());
}

TEST_CASE("H2 engine: large payloads are handed out as the bytes that were submitted", "[h2]") {
  Pair pair;
  open(pair, get("/"), EndOfStream::Yes);
  EngineStream& stream = accept(pair);
  REQUIRE(pair.server.submit_response(stream, ResponseHeader(200), {}, EndOfStream::No));
  Bytes payload = bytes(30000);
  pair.server.submit_data(stream, payload, EndOfStream::Yes);
  Output output;
  pair.server.take_output(output);
  std::size_t shared = 0;
  for (const Bytes& piece : output.pieces()) {
    if (piece.data() >= payload.data() && piece.data() < payload.data() + payload.size()) {
      shared += piece.size();
    }
  }
  CHECK(shared == 30000);
  CHECK(output.pieces().size() == 4);
}

TEST_CASE("H2 engine: output is bounded per turn", "[h2]") {
  EngineOptions client_options;
  client_options.stream_window_bytes = client_options.stream_window_bytes_max = 1024 * 1024;
  Pair pair({}, client_options);
  open(pair, get("/"), EndOfStream::Yes);
  EngineStream& stream = accept(pair);
  REQUIRE(pair.server.submit_response(stream, ResponseHeader(200), {}, EndOfStream::No));
  pair.server.submit_data(stream, bytes(500000), EndOfStream::Yes);
  std::size_t turns = 0;
  while (pair.server.has_output()) {
    Output output;
    pair.server.take_output(output, 50000);
    CHECK(output.size() < 50000 + 16384 + 100);
    ++turns;
  }
  CHECK(turns >= 500000 / (50000 + 16384));
}

// Ends.

TEST_CASE("H2 engine: a reset reaches the peer and nothing follows it", "[h2]") {
  Pair pair;
  EngineStream& sent = open(pair, post(), EndOfStream::No);
  EngineStream& stream = accept(pair);
  pair.client.submit_data(sent, bytes(1000), EndOfStream::No);
  pair.pump();
  // Events that were made before are not given out any more either.
  pair.server.reset(stream, ErrorCode::InternalError);
  CHECK(stream_events_of(pair.server).empty());
  pair.client.submit_data(sent, bytes(1000), EndOfStream::No);
  pair.pump();
  auto events = stream_events_of(pair.client);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == Kind::Reset);
  CHECK(events[0].code == ErrorCode::InternalError);
  CHECK(events[0].origin == Event::Origin::Peer);
  CHECK(sent.is_closed());
  pair.client.submit_data(sent, bytes(1000), EndOfStream::No);
  CHECK(pair.client.send_buffered() == 0);
  pair.client.release(sent);
  pair.server.release(stream);
  CHECK(pair.server.streams() + pair.client.streams() == 0);
  CHECK(pair.server.unconsumed() == 0);
}

// Its head is part of the compression's history, and goes out all the same.
TEST_CASE("H2 engine: a request that is given up before it was sent leaves nothing", "[h2]") {
  Pair pair;
  EngineStream& sent = open(pair, get("/"), EndOfStream::Yes);
  pair.client.release(sent);
  CHECK(pair.client.streams() == 0);
  pair.pump();
  auto events = stream_events_of(pair.server);
  REQUIRE(events.size() == 2);
  CHECK(events[0].kind == Kind::RequestHead);
  CHECK(events[1].kind == Kind::Reset);
  CHECK(events[1].code == ErrorCode::Cancel);
  pair.server.release(*events[0].stream);
  CHECK(pair.server.streams() == 0);
}

TEST_CASE("H2 engine: a server that answers early says that it needs no more", "[h2]") {
  Pair pair;
  EngineStream& sent = open(pair, post(), EndOfStream::No);
  EngineStream& stream = accept(pair);
  REQUIRE(pair.server.submit_response(stream, ResponseHeader(413), {}, EndOfStream::No));
  pair.server.submit_data(stream, bytes(100), EndOfStream::Yes);
  pair.server.release(stream);
  pair.pump();
  auto events = stream_events_of(pair.client);
  REQUIRE(events.size() == 3);
  CHECK(events[0].kind == Kind::ResponseHead);
  CHECK(events[1].end == EndOfStream::Yes);
  CHECK(events[2].kind == Kind::Reset);
  CHECK(events[2].code == ErrorCode::NoError);
  pair.client.release(sent);
  CHECK(pair.server.streams() + pair.client.streams() == 0);
}

TEST_CASE("H2 engine: an unfinished stream that is released is cancelled", "[h2]") {
  Pair pair;
  EngineStream& sent = open(pair, get("/"), EndOfStream::Yes);
  EngineStream& stream = accept(pair);
  REQUIRE(pair.server.submit_response(stream, ResponseHeader(200), {}, EndOfStream::No));
  pair.server.release(stream);
  pair.pump();
  auto events = stream_events_of(pair.client);
  CHECK(events.back().kind == Kind::Reset);
  CHECK(events.back().code == ErrorCode::Cancel);
  pair.client.release(sent);
  CHECK(pair.server.streams() + pair.client.streams() == 0);
}

TEST_CASE("H2 engine: a graceful shutdown serves what is on its way", "[h2]") {
  Pair pair;
  EngineStream& first = open(pair, get("/1"), EndOfStream::Yes);
  EngineStream& first_seen = accept(pair);
  pair.server.begin_shutdown();
  std::string notice = take_all(pair.server);
  // Sent before the client knows.
  EngineStream& second = open(pair, get("/2"), EndOfStream::Yes);
  std::string on_its_way = take_all(pair.client);
  REQUIRE(feed(pair.client, notice));
  CHECK(pair.client.is_draining());
  CHECK_FALSE(pair.client.submit_request(get("/3"), {}, EndOfStream::Yes).has_value());
  auto told = stream_events_of(pair.client);
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind == Kind::GoAway);
  CHECK(told[0].code == ErrorCode::NoError);
  CHECK(told[0].last_stream_id == 0x7fffffff);

  REQUIRE(feed(pair.server, on_its_way));
  EngineStream& second_seen = accept(pair);
  CHECK(pair.server.is_shutting_down());
  for (EngineStream* stream : {&first_seen, &second_seen}) {
    REQUIRE(pair.server.submit_response(*stream, ResponseHeader(200), {}, EndOfStream::Yes));
  }
  CHECK_FALSE(pair.server.is_finished());
  pair.pump();
  auto events = stream_events_of(pair.client);
  std::size_t closed = 0;
  for (const Event& event : events) closed += event.kind == Kind::Closed ? 1 : 0;
  CHECK(closed == 2);
  // Named by the second step, behind the answer to the PING.
  CHECK(events[0].kind == Kind::GoAway);
  CHECK(events[0].last_stream_id == 3);
  pair.client.release(first);
  pair.client.release(second);
  pair.server.release(first_seen);
  pair.server.release(second_seen);
  CHECK(pair.server.is_finished());
  CHECK(pair.client.is_finished());
}

TEST_CASE("H2 engine: streams above the last that GOAWAY names were not looked at", "[h2]") {
  EngineOptions options;
  Engine client(Role::Client, options, kStart);
  auto first = client.submit_request(get("/1"), {}, EndOfStream::Yes);
  auto second = client.submit_request(get("/2"), {}, EndOfStream::Yes);
  take_all(client);
  REQUIRE(feed(client, settings() + goaway(1, 0, "bye")));
  auto events = stream_events_of(client);
  REQUIRE(events.size() == 2);
  CHECK(events[0].kind == Kind::GoAway);
  CHECK(events[0].data == "bye");
  CHECK(events[1].kind == Kind::Reset);
  CHECK(events[1].stream == *second);
  CHECK(events[1].code == ErrorCode::RefusedStream);
  CHECK(events[1].origin == Event::Origin::Peer);
  // The other one goes on.
  REQUIRE(feed(client, headers(1, {{":status", "200"}})));
  CHECK(stream_events_of(client).back().kind == Kind::Closed);
  client.release(**first);
  client.release(**second);
  take_all(client);
  CHECK(client.is_finished());
}

TEST_CASE("H2 engine: a connection that fails tells every stream", "[h2]") {
  Pair pair;
  EngineStream& sent = open(pair, post(), EndOfStream::No);
  EngineStream& stream = accept(pair);
  pair.server.terminate(ErrorCode::InternalError, kStart);
  auto events = stream_events_of(pair.server);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == Kind::Reset);
  pair.server.release(stream);
  CHECK(pair.server.streams() == 0);
  pair.pump();
  CHECK(pair.server.is_finished());
  auto told = stream_events_of(pair.client);
  CHECK(told.at(0).kind == Kind::GoAway);
  CHECK(told.at(0).code == ErrorCode::InternalError);
  // Nothing can be done with it any more, and nothing goes wrong.
  pair.server.submit_ping(1);
  pair.server.begin_shutdown();
  pair.server.finish_shutdown();
  pair.server.terminate(ErrorCode::Cancel, kStart);
  CHECK(take_all(pair.server).empty());
  pair.client.release(sent);
}

TEST_CASE("H2 engine: what is no HTTP/2 is refused", "[h2]") {
  EngineOptions options;
  Engine engine(Role::Server, options, kStart);
  CHECK_FALSE(feed(engine, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  CHECK(engine.counters().protocol_errors == 1);
  auto frames = parse_frames(take_all(engine));
  REQUIRE(find_frame(frames, FrameType::Goaway) != nullptr);
  CHECK(engine.is_finished());
}

TEST_CASE("H2 engine: a peer that breaks the rules of framing gets a GOAWAY", "[h2]") {
  for (const std::string& bad :
       {headers(2, request()), data(1, "x"), settings("x"), frame(FrameType::Ping, 0, 0, "1234567"),
        window_update(0, 0), rst_stream(1), frame(FrameType::PushPromise, 4, 1, "abcdefgh"),
        frame(FrameType::Headers, kEndHeaders, 0, "x"),
        std::string(frame(FrameType::Headers, 4, 1, "\xff\xff\xff\xff\xff\xff"))}) {
    EngineOptions options;
    Engine engine(Role::Server, options, kStart);
    feed(engine, client_start() + bad + std::string(20, '\xff'));
    auto frames = parse_frames(take_all(engine));
    REQUIRE(find_frame(frames, FrameType::Goaway) != nullptr);
    CHECK(find_frame(frames, FrameType::Goaway)->code() != 0);
    CHECK(engine.is_finished());
    for (const Event& event : events_of(engine)) CHECK(event.kind != Kind::RequestHead);
  }
}

// Features.

TEST_CASE("H2 engine: a ping is answered and its answer is told", "[h2]") {
  Pair pair;
  pair.client.submit_ping(42);
  pair.pump();
  auto events = stream_events_of(pair.client);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == Kind::PingAck);
  CHECK(events[0].ping == 42);
}

TEST_CASE("H2 engine: settings of the peer are known", "[h2]") {
  EngineOptions server_options;
  server_options.concurrent_streams_max = 2;
  server_options.extended_connect = ExtendedConnect::Yes;
  Pair pair(server_options);
  pair.pump();
  CHECK(events_of(pair.client).at(0).kind == Kind::Settings);
  CHECK(pair.client.peer_settings().are_known);
  CHECK(pair.client.peer_settings().concurrent_streams_max == 2);
  CHECK(pair.client.peer_settings().extended_connect);
  CHECK(pair.client.can_open_stream());
  open(pair, get("/"), EndOfStream::Yes);
  EngineStream& second = open(pair, get("/"), EndOfStream::Yes);
  CHECK_FALSE(pair.client.can_open_stream());
  auto third = pair.client.submit_request(get("/"), {}, EndOfStream::Yes);
  REQUIRE_FALSE(third.has_value());
  CHECK(third.error().retry());
  pair.client.release(second);
  pair.pump();
  CHECK(pair.client.can_open_stream());
}

TEST_CASE("H2 engine: an extended CONNECT carries bytes both ways", "[h2]") {
  EngineOptions server_options;
  server_options.extended_connect = ExtendedConnect::Yes;
  Pair pair(server_options);
  pair.pump();
  RequestHeader request;
  request.set_received(Method::Connect, "/chat", TargetForm::Origin, "/chat", Version::Http2);
  REQUIRE(request.insert_header(HeaderId::Host, "example.com"));
  auto sent = pair.client.submit_request(
      request, {.edits = {}, .scheme = Scheme::Https, .protocol = "websocket"}, EndOfStream::No);
  REQUIRE(sent.has_value());
  pair.pump();
  auto events = stream_events_of(pair.server);
  REQUIRE(events.size() == 1);
  CHECK(events[0].protocol == "websocket");
  CHECK(events[0].scheme == Scheme::Https);
  CHECK(events[0].request->method() == Method::Connect);
  CHECK(events[0].request->path_and_query() == "/chat");
  EngineStream& stream = *events[0].stream;
  REQUIRE(pair.server.submit_response(stream, ResponseHeader(200), {}, EndOfStream::No));
  pair.server.submit_data(stream, bytes(10), EndOfStream::No);
  pair.client.submit_data(**sent, bytes(20), EndOfStream::No);
  pair.pump();
  CHECK(drain(pair.server) == 20);
  CHECK(drain(pair.client) == 10);
}

TEST_CASE("H2 engine: urgent responses overtake others", "[h2]") {
  Pair pair;
  std::vector<EngineStream*> seen;
  for (const char* priority : {"u=5", "u=1", "u=3"}) {
    RequestHeader request = get("/");
    REQUIRE(request.insert_header(HeaderId::Priority, priority));
    open(pair, request, EndOfStream::Yes);
    seen.push_back(&accept(pair));
  }
  CHECK(seen[0]->urgency() == 5);
  CHECK(seen[1]->urgency() == 1);
  for (EngineStream* stream : seen) {
    REQUIRE(pair.server.submit_response(*stream, ResponseHeader(200), {}, EndOfStream::No));
    pair.server.submit_data(*stream, bytes(20000), EndOfStream::Yes);
  }
  std::vector<std::uint32_t> order;
  for (const ParsedFrame& frame : parse_frames(take_all(pair.server))) {
    if (frame.type != FrameType::Data) continue;
    if (order.empty() || order.back() != frame.stream) order.push_back(frame.stream);
  }
  CHECK(order == std::vector<std::uint32_t>{3, 5, 1});
}

TEST_CASE("H2 engine: incremental responses take turns and others do not", "[h2]") {
  for (const char* priority : {"u=3", "u=3, i"}) {
    INFO(priority);
    Pair pair;
    std::vector<EngineStream*> seen;
    for (int i = 0; i < 2; ++i) {
      RequestHeader request = get("/");
      REQUIRE(request.insert_header(HeaderId::Priority, priority));
      open(pair, request, EndOfStream::Yes);
      seen.push_back(&accept(pair));
      REQUIRE(pair.server.submit_response(*seen[static_cast<std::size_t>(i)], ResponseHeader(200),
                                          {}, EndOfStream::No));
    }
    for (EngineStream* stream : seen)
      pair.server.submit_data(*stream, bytes(50000), EndOfStream::Yes);
    std::size_t switches = 0;
    std::uint32_t last = 0;
    for (const ParsedFrame& frame : parse_frames(take_all(pair.server))) {
      if (frame.type != FrameType::Data) continue;
      switches += frame.stream != last ? 1 : 0;
      last = frame.stream;
    }
    if (seen[0]->is_incremental()) {
      CHECK(switches > 4);
    } else {
      CHECK(switches == 2);
    }
  }
}

TEST_CASE("H2 engine: a PRIORITY_UPDATE changes a stream's urgency", "[h2]") {
  EngineOptions options;
  Engine engine(Role::Server, options, kStart);
  REQUIRE(feed(engine, client_start() + headers(1, request())));
  EngineStream& stream = *stream_events_of(engine).at(0).stream;
  CHECK(stream.urgency() == 3);
  REQUIRE(feed(engine, frame(FrameType::PriorityUpdate, 0, 0, number32(1) + "u=0, i")));
  CHECK(stream.urgency() == 0);
  CHECK(stream.is_incremental());
}

TEST_CASE("H2 engine: heads lose their connection fields on the way out", "[h2]") {
  Pair pair;
  RequestHeader request = get("/");
  for (auto [name, value] : {std::pair{"Connection", "keep-alive, X-Own"},
                             {"X-Own", "1"},
                             {"Keep-Alive", "5"},
                             {"Upgrade", "h2c"},
                             {"HTTP2-Settings", "x"},
                             {"Transfer-Encoding", "chunked"},
                             {"TE", "gzip, trailers"},
                             {"X-Kept", "  2  "},
                             {"Accept", "*/*"}}) {
    REQUIRE(request.append_header(std::string_view(name), value));
  }
  const ExtraField add[] = {
      {"x-added", "3"}, {HeaderId::Connection, "close"}, {HeaderId::Host, "other.com"}};
  RequestParts parts;
  parts.edits = {.skip = {HeaderId::Accept}, .add = add};
  REQUIRE(pair.client.submit_request(request, parts, EndOfStream::Yes).has_value());
  pair.pump();
  auto events = stream_events_of(pair.server);
  REQUIRE(events.at(0).kind == Kind::RequestHead);
  CHECK(lines_of(events[0].request->headers()) ==
        std::vector<std::string>{"Host: other.com", "x-kept: 2", "x-added: 3", "TE: trailers"});
}

TEST_CASE("H2 engine: an added field that is no field submits nothing", "[h2]") {
  Pair pair;
  const ExtraField bad[] = {{std::string_view("x-own"), "a\r\nb: c"}};
  RequestParts parts;
  parts.edits = {.skip = {}, .add = bad};
  auto refused = pair.client.submit_request(get("/"), parts, EndOfStream::Yes);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().type() == ErrorType::InvalidHttpHeader);
  open(pair, get("/"), EndOfStream::Yes);
  EngineStream& stream = accept(pair);
  CHECK_FALSE(pair.server.submit_response(stream, ResponseHeader(200), {.skip = {}, .add = bad},
                                          EndOfStream::Yes));
  CHECK(pair.server.submit_response(stream, ResponseHeader(200), {}, EndOfStream::Yes));
}

TEST_CASE("H2 engine: a large head goes out in several frames", "[h2]") {
  EngineOptions options;
  options.header_list_bytes_max = 200 * 1024;
  options.header_block_bytes_max = 200 * 1024;
  Pair pair(options, options);
  RequestHeader request = get("/");
  for (int i = 0; i < 100; ++i) {
    REQUIRE(request.append_header("x-" + std::to_string(i), std::string(1000, '~')));
  }
  open(pair, request, EndOfStream::Yes);
  pair.pump();
  auto events = stream_events_of(pair.server);
  REQUIRE(events.at(0).kind == Kind::RequestHead);
  CHECK(events[0].request->headers().size() == 101);
}

}  // namespace pingora::h2
