// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Each budget and limit below, at and above it. Above: GOAWAY with ENHANCE_YOUR_CALM, a counter,
// and every stream told.
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "pingora/h2/engine.h"
#include "unit/h2/engine_pair.h"
#include "unit/h2/frame_builder.h"

namespace pingora::h2 {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using Kind = Event::Kind;

constexpr std::uint32_t kCalm = 11;

// An engine as server, behind a client's preface, whose SETTINGS are not counted here.
struct Server {
  explicit Server(const EngineOptions& given)
      : options(given), engine(Role::Server, options, kStart) {
    REQUIRE(feed(engine, client_start()));
    take_all(engine);
  }
  // What the last frames that it sends say.
  std::uint32_t goaway_code() {
    auto frames = parse_frames(take_all(engine));
    const ParsedFrame* goaway = find_frame(frames, FrameType::Goaway);
    return goaway != nullptr ? goaway->code() : 0;
  }
  EngineOptions options;
  Engine engine;
};

struct Flood {
  const char* what;
  std::function<void(EngineOptions&)> limit_to_four;
  std::function<std::string(std::uint32_t)> frame;  // the n-th, from 0
  std::uint64_t EngineCounters::* counter;
  std::string before;
};

std::vector<Flood> floods() {
  std::string open = headers(1, request({}, "/", "POST"), 0);
  return {
      {"PING", [](EngineOptions& o) { o.pings = {4, 0}; }, [](auto) { return ping(); },
       &EngineCounters::ping_floods, ""},
      {"answers to no PING", [](EngineOptions& o) { o.pings = {4, 0}; },
       [](auto) { return ping(kAck); }, &EngineCounters::ping_floods, ""},
      // One is the client's first.
      {"SETTINGS", [](EngineOptions& o) { o.settings = {5, 0}; }, [](auto) { return settings(); },
       &EngineCounters::settings_floods, ""},
      {"empty DATA", [](EngineOptions& o) { o.empty_data = {4, 0}; },
       [](auto) { return data(1, ""); }, &EngineCounters::empty_data_floods, open},
      {"DATA of padding", [](EngineOptions& o) { o.empty_data = {4, 0}; },
       [](auto) { return data(1, std::string("\3\0\0\0", 4), kPadded); },
       &EngineCounters::empty_data_floods, open},
      {"WINDOW_UPDATE of the connection", [](EngineOptions& o) { o.window_updates = {4, 0}; },
       [](auto) { return window_update(0, 1); }, &EngineCounters::window_update_floods, ""},
      {"WINDOW_UPDATE of a stream", [](EngineOptions& o) { o.window_updates = {4, 0}; },
       [](auto) { return window_update(1, 1); }, &EngineCounters::window_update_floods, open},
      {"PRIORITY", [](EngineOptions& o) { o.priorities = {4, 0}; },
       [](auto) { return frame(FrameType::Priority, 0, 1, number32(3) + "\1"); },
       &EngineCounters::priority_floods, open},
      {"PRIORITY_UPDATE", [](EngineOptions& o) { o.priorities = {4, 0}; },
       [](auto) { return frame(FrameType::PriorityUpdate, 0, 0, number32(1) + "u=1"); },
       &EngineCounters::priority_floods, open},
      {"frames of unknown types", [](EngineOptions& o) { o.unknown_frames = {4, 0}; },
       [](auto) { return frame(static_cast<FrameType>(0xbb), 0, 0, "x"); },
       &EngineCounters::unknown_frame_floods, ""},
      {"rapid reset", [](EngineOptions& o) { o.resets = {4, 0}; },
       [](auto n) { return headers(2 * n + 1, request()) + rst_stream(2 * n + 1); },
       &EngineCounters::reset_floods, ""},
      {"resets by malformed requests", [](EngineOptions& o) { o.resets = {4, 0}; },
       [](auto n) { return headers(2 * n + 1, request({{"Upper", "1"}})); },
       &EngineCounters::reset_floods, ""},
      {"resets by more data than announced", [](EngineOptions& o) { o.resets = {4, 0}; },
       [](auto n) {
         return headers(2 * n + 1, request({{"content-length", "1"}}, "/", "POST"), 0) +
                data(2 * n + 1, "22");
       },
       &EngineCounters::reset_floods, ""},
      {"requests with too large a head",
       [](EngineOptions& o) {
         o.resets = {4, 0};
         o.header_list_bytes_max = 300;
       },
       [](auto n) { return headers(2 * n + 1, request({{"x-own", std::string(300, 'a')}})); },
       &EngineCounters::reset_floods, ""},
  };
}

}  // namespace

TEST_CASE("H2 engine: a budget lets so many pass and ends the connection at the next", "[h2]") {
  for (const Flood& flood : floods()) {
    INFO(flood.what);
    EngineOptions options;
    flood.limit_to_four(options);
    Server server(options);
    REQUIRE(feed(server.engine, flood.before));
    for (std::uint32_t i = 0; i < 4; ++i) REQUIRE(feed(server.engine, flood.frame(i)));
    CHECK(server.engine.counters().*flood.counter == 0);
    CHECK(server.goaway_code() == 0);
    CHECK_FALSE(server.engine.is_finished());

    CHECK_FALSE(feed(server.engine, flood.frame(4)));
    CHECK(server.engine.counters().*flood.counter == 1);
    CHECK_FALSE(server.engine.is_finished());
    CHECK(server.goaway_code() == kCalm);
    CHECK(server.engine.is_finished());
    // Nothing is read any more, and it stays said once.
    CHECK_FALSE(feed(server.engine, headers(99, request())));
    CHECK(take_all(server.engine).empty());
  }
}

TEST_CASE("H2 engine: a flood is seen at every cut of its frames", "[h2]") {
  for (const Flood& flood : floods()) {
    INFO(flood.what);
    EngineOptions options;
    flood.limit_to_four(options);
    Server server(options);
    std::string all = flood.before;
    for (std::uint32_t i = 0; i < 5; ++i) all += flood.frame(i);
    CHECK_FALSE(feed(server.engine, all, 1));
    CHECK(server.engine.counters().*flood.counter == 1);
    CHECK(server.goaway_code() == kCalm);
  }
}

TEST_CASE("H2 engine: a budget fills up with time", "[h2]") {
  EngineOptions options;
  options.pings = {4, 2};
  Server server(options);
  for (int i = 0; i < 4; ++i) REQUIRE(feed(server.engine, ping()));
  take_all(server.engine);
  REQUIRE(feed(server.engine, ping(), 0, kStart + 1s));
  REQUIRE(feed(server.engine, ping(), 0, kStart + 1s));
  CHECK_FALSE(feed(server.engine, ping(), 0, kStart + 1400ms));
}

TEST_CASE("H2 engine: a budget does not fill up beyond its burst", "[h2]") {
  EngineOptions options;
  options.pings = {4, 2};
  Server server(options);
  for (int i = 0; i < 4; ++i) REQUIRE(feed(server.engine, ping(), 0, kStart + 1h));
  CHECK_FALSE(feed(server.engine, ping(), 0, kStart + 1h));
}

TEST_CASE("H2 engine: completed streams pay for resets", "[h2]") {
  EngineOptions options;
  options.resets = {4, 0};
  Server server(options);
  for (std::uint32_t i = 0; i < 100; i += 2) {
    REQUIRE(feed(server.engine, headers(2 * i + 1, request())));
    auto head = std::move(stream_events_of(server.engine).at(0));
    REQUIRE(server.engine.submit_response(*head.stream, ResponseHeader(200), {}, EndOfStream::Yes));
    take_all(server.engine);
    server.engine.release(*head.stream);
    REQUIRE(feed(server.engine, headers(2 * i + 3, request()) + rst_stream(2 * i + 3)));
    server.engine.release(*stream_events_of(server.engine).at(0).stream);
  }
  CHECK(server.engine.counters().peer_resets == 50);
  CHECK(server.engine.counters().streams_completed == 50);
  CHECK(server.engine.streams() == 0);
}

TEST_CASE("H2 engine: a frame is no larger than was announced", "[h2]") {
  constexpr std::uint32_t kFrameSizeError = 6;
  for (std::uint32_t limit : {16384U, 20000U}) {
    for (std::uint32_t size : {limit - 1, limit, limit + 1}) {
      CAPTURE(limit, size);
      EngineOptions options;
      options.frame_bytes_max = limit;
      Server server(options);
      std::string acknowledged = frame(FrameType::Settings, kAck, 0, "");
      REQUIRE(feed(server.engine, acknowledged + headers(1, request({}, "/", "POST"), 0)));
      feed(server.engine, data(1, std::string(size, 'x')));
      CHECK(server.goaway_code() == (size > limit ? kFrameSizeError : 0));
    }
  }
}

TEST_CASE("H2 engine: acknowledgements that nobody reads end the connection", "[h2]") {
  EngineOptions options;
  options.acks_queued_max = 4;
  Server server(options);
  for (int i = 0; i < 4; ++i) REQUIRE(feed(server.engine, ping()));
  take_all(server.engine);
  for (int i = 0; i < 4; ++i) REQUIRE(feed(server.engine, ping()));
  CHECK_FALSE(feed(server.engine, ping()));
  CHECK(server.engine.counters().ack_floods == 1);
  CHECK(server.goaway_code() == kCalm);
}

TEST_CASE("H2 engine: a reset stream counts as open until it is released", "[h2]") {
  EngineOptions options;
  options.concurrent_streams_max = 4;
  Server server(options);
  std::vector<EngineStream*> streams;
  for (std::uint32_t i = 0; i < 4; ++i) {
    REQUIRE(feed(server.engine, headers(2 * i + 1, request()) + rst_stream(2 * i + 1)));
    auto events = stream_events_of(server.engine);
    REQUIRE(events.size() == 2);
    CHECK(events[1].kind == Kind::Reset);
    CHECK(events[1].code == ErrorCode::Cancel);
    CHECK(events[1].origin == Event::Origin::Peer);
    streams.push_back(events[0].stream);
  }
  REQUIRE(feed(server.engine, headers(9, request())));
  auto refused = stream_events_of(server.engine);
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].kind == Kind::Refused);
  CHECK(refused[0].code == ErrorCode::RefusedStream);
  CHECK(server.engine.counters().streams_refused == 1);
  auto frames = parse_frames(take_all(server.engine));
  REQUIRE(find_frame(frames, FrameType::RstStream) != nullptr);
  CHECK(find_frame(frames, FrameType::RstStream)->code() == 7);

  server.engine.release(*streams[0]);
  REQUIRE(feed(server.engine, headers(11, request())));
  CHECK(stream_events_of(server.engine).at(0).kind == Kind::RequestHead);
}

TEST_CASE("H2 engine: a completed stream makes room before it is released", "[h2]") {
  EngineOptions options;
  options.concurrent_streams_max = 1;
  Server server(options);
  REQUIRE(feed(server.engine, headers(1, request())));
  auto first = std::move(stream_events_of(server.engine).at(0));
  REQUIRE(server.engine.submit_response(*first.stream, ResponseHeader(200), {}, EndOfStream::Yes));
  take_all(server.engine);
  REQUIRE(feed(server.engine, headers(3, request())));
  auto events = stream_events_of(server.engine);
  REQUIRE(events.size() == 2);
  CHECK(events[0].kind == Kind::Closed);
  CHECK(events[1].kind == Kind::RequestHead);
  server.engine.release(*first.stream);
}

TEST_CASE("H2 engine: streams beyond the announced number never become requests", "[h2]") {
  EngineOptions options;
  options.concurrent_streams_max = 2;
  Server server(options);
  std::string bytes;
  for (std::uint32_t i = 0; i < 4; ++i) bytes += headers(2 * i + 1, request());
  feed(server.engine, bytes);
  std::size_t requests = 0;
  for (const Event& event : events_of(server.engine)) {
    requests += event.kind == Kind::RequestHead ? 1 : 0;
  }
  CHECK(requests == 2);
}

// Heads.

namespace {

// A head whose list, counted as RFC 9113 §6.5.2 does, is `bytes` large.
Fields head_of(std::size_t bytes) {
  std::size_t size = 0;
  for (const auto& [name, value] : request()) size += name.size() + value.size() + 32;
  return request({{"x", std::string(bytes - size - 33, 'a')}});
}

// Answers a request with the status that it is refused with.
void answer(Engine& engine, const Event& refused) {
  REQUIRE(engine.submit_response(*refused.stream, ResponseHeader(*StatusCode::from(refused.status)),
                                 {}, EndOfStream::Yes));
  engine.release(*refused.stream);
}

std::uint16_t refusal(const EngineOptions& options, const Fields& fields) {
  Server server(options);
  REQUIRE(feed(server.engine, headers(1, fields)));
  auto events = stream_events_of(server.engine);
  REQUIRE(events.size() == 1);
  REQUIRE(events[0].kind == Kind::RequestHead);
  if (events[0].status == 0) return 0;
  CHECK(server.engine.counters().heads_refused == 1);
  CHECK_FALSE(events[0].reason.empty());
  // What was understood comes with it, for a log.
  CHECK(events[0].request->method() == Method::Get);
  CHECK(events[0].request->raw_target() == "/");
  answer(server.engine, events[0]);
  take_all(server.engine);
  CHECK(server.engine.streams() == 0);
  CHECK(server.engine.counters().streams_completed == 0);
  return events[0].status;
}

}  // namespace

TEST_CASE("H2 engine: a header list is capped in bytes", "[h2]") {
  EngineOptions options;
  options.header_list_bytes_max = 1000;
  CHECK(refusal(options, head_of(999)) == 0);
  CHECK(refusal(options, head_of(1000)) == 0);
  CHECK(refusal(options, head_of(1001)) == 431);
  CHECK(refusal(options, head_of(4000)) == 431);
  Server server(options);
  CHECK_FALSE(feed(server.engine, headers(1, head_of(4001))));
  CHECK(server.engine.counters().header_block_floods == 1);
  CHECK(server.goaway_code() == kCalm);
}

TEST_CASE("H2 engine: fields and cookie crumbs are capped in number, apart", "[h2]") {
  EngineOptions options;
  options.fields_max = 4;
  options.cookie_crumbs_max = 8;
  auto many = [](std::size_t fields, std::size_t crumbs) {
    Fields more(fields, {"x", "y"});
    more.insert(more.end(), crumbs, {"cookie", "a=b"});
    return request(more);
  };
  CHECK(refusal(options, many(4, 8)) == 0);
  CHECK(refusal(options, many(5, 0)) == 431);
  CHECK(refusal(options, many(0, 9)) == 431);
  Server server(options);
  CHECK_FALSE(feed(server.engine, headers(1, many(17, 0))));
  CHECK(server.goaway_code() == kCalm);
}

TEST_CASE("H2 engine: a target is capped in bytes", "[h2]") {
  EngineOptions options;
  options.target_bytes_max = 10;
  CHECK(refusal(options, request({}, "/23456789")) == 0);
  CHECK(refusal(options, request({}, "/234567890")) == 0);
  CHECK(refusal(options, request({}, "/2345678901")) == 414);
}

TEST_CASE("H2 engine: a refused request with a body is answered and then reset", "[h2]") {
  EngineOptions options;
  options.target_bytes_max = 10;
  Server server(options);
  REQUIRE(feed(server.engine, headers(1, request({}, "/2345678901", "POST"), 0) + data(1, "body")));
  auto events = stream_events_of(server.engine);
  REQUIRE(events.at(0).status == 414);
  CHECK(events[0].request->method() == Method::Post);
  answer(server.engine, events[0]);
  auto frames = parse_frames(take_all(server.engine));
  REQUIRE(find_frame(frames, FrameType::Headers) != nullptr);
  const ParsedFrame* reset = find_frame(frames, FrameType::RstStream);
  REQUIRE(reset != nullptr);
  CHECK(reset->code() == 0);
  CHECK(server.engine.streams() == 0);
  CHECK(server.engine.unconsumed() == 0);
}

TEST_CASE("H2 engine: a decompression bomb is stopped while it is decoded", "[h2]") {
  // One large field goes into the table, and is then referred to by one byte each.
  Server server(EngineOptions{});
  std::string bomb = block(request());
  bomb += "\x40\x01x" + hpack_size(3000) + std::string(3000, 'a');
  bomb.append(10000, '\xbe');
  CHECK_FALSE(feed(server.engine, frame(FrameType::Headers, kEndStream | kEndHeaders, 1, bomb)));
  CHECK(server.engine.counters().header_block_floods == 1);
  CHECK(server.goaway_code() == kCalm);
  CHECK(server.engine.memory_used() < 200 * 1024);
}

TEST_CASE("H2 engine: a header block is capped in CONTINUATION frames", "[h2]") {
  EngineOptions options;
  options.continuations_max = 3;
  std::string head = block(request());
  auto in_frames = [&](std::size_t continuations) {
    std::string bytes = frame(FrameType::Headers, kEndStream, 1, head.substr(0, 1));
    for (std::size_t i = 1; i < continuations; ++i) {
      bytes += frame(FrameType::Continuation, 0, 1, head.substr(i, 1));
    }
    return bytes + frame(FrameType::Continuation, kEndHeaders, 1, head.substr(continuations));
  };
  Server good(options);
  REQUIRE(feed(good.engine, in_frames(3)));
  CHECK(stream_events_of(good.engine).at(0).kind == Kind::RequestHead);
  Server flooded(options);
  CHECK_FALSE(feed(flooded.engine, in_frames(4)));
  CHECK(flooded.engine.counters().header_block_floods == 1);
  CHECK(flooded.goaway_code() == kCalm);
}

TEST_CASE("H2 engine: a header block is capped in bytes as it arrives", "[h2]") {
  std::string head = block(request());
  EngineOptions options;
  for (std::size_t max : {head.size() - 1, head.size(), head.size() + 1}) {
    options.header_block_bytes_max = static_cast<std::uint32_t>(max);
    Server server(options);
    bool fits = max >= head.size();
    CHECK(feed(server.engine, headers(1, request())) == fits);
    CHECK(server.engine.counters().header_block_floods == (fits ? 0 : 1));
  }
}

TEST_CASE("H2 engine: a head has a deadline from its first frame to its last", "[h2]") {
  EngineOptions options;
  options.head_timeout = 5s;
  Server server(options);
  CHECK(server.engine.head_deadline() == kNever);
  std::string head = block(request());
  REQUIRE(feed(server.engine, frame(FrameType::Headers, kEndStream, 1, head.substr(0, 4)), 0,
               kStart + 1s));
  CHECK(server.engine.head_deadline() == kStart + 6s);
  REQUIRE(
      feed(server.engine, frame(FrameType::Continuation, 0, 1, head.substr(4, 4)), 0, kStart + 2s));
  CHECK(server.engine.head_deadline() == kStart + 6s);
  REQUIRE(feed(server.engine, frame(FrameType::Continuation, kEndHeaders, 1, head.substr(8))));
  CHECK(server.engine.head_deadline() == kNever);
  CHECK(stream_events_of(server.engine).size() == 1);
}

TEST_CASE("H2 engine: trailers are capped", "[h2]") {
  EngineOptions options;
  options.trailer_bytes_max = 100;
  auto with_trailers = [](std::size_t bytes) {
    return headers(1, request({}, "/", "POST"), 0) +
           headers(1, {{"x", std::string(bytes - 33, 'a')}});
  };
  Server good(options);
  REQUIRE(feed(good.engine, with_trailers(100)));
  CHECK(stream_events_of(good.engine).at(1).kind == Kind::Trailers);
  Server large(options);
  REQUIRE(feed(large.engine, with_trailers(101)));
  auto events = stream_events_of(large.engine);
  CHECK(events.at(1).kind == Kind::Reset);
  CHECK(events.at(1).code == ErrorCode::EnhanceYourCalm);
  CHECK(large.engine.counters().heads_refused == 1);
}

// Memory.

TEST_CASE("H2 engine: what a connection makes us hold has a ceiling", "[h2]") {
  EngineOptions options;
  options.memory_bytes_max = 200 * 1024;
  options.stream_window_bytes = options.connection_window_bytes = 1024 * 1024;
  Server server(options);
  REQUIRE(feed(server.engine, settings({}, kAck) + headers(1, request({}, "/", "POST"), 0)));
  std::size_t pieces = 0;
  while (pieces < 100 && feed(server.engine, data(1, std::string(10000, 'a')))) ++pieces;
  // The engine itself, and its tables, take some.
  CHECK(pieces >= 15);
  CHECK(pieces < 20);
  CHECK(server.engine.counters().memory_exhausted == 1);
  CHECK(server.goaway_code() == kCalm);
  auto events = stream_events_of(server.engine);
  CHECK(events.back().kind == Kind::Reset);
  CHECK(events.back().code == ErrorCode::EnhanceYourCalm);
}

TEST_CASE("H2 engine: many small pieces count as the memory that they take", "[h2]") {
  EngineOptions options;
  options.memory_bytes_max = 200 * 1024;
  Server server(options);
  REQUIRE(feed(server.engine, headers(1, request({}, "/", "POST"), 0)));
  std::string ones;
  for (int i = 0; i < 100; ++i) ones += data(1, "a");
  std::size_t fed = 0;
  while (fed < 60000 && feed(server.engine, ones)) {
    fed += 100;
    while (server.engine.next_event()) {
    }
  }
  CHECK(fed < 2000);
  CHECK(server.engine.counters().memory_exhausted == 1);
}

TEST_CASE("H2 engine: what is consumed does not count", "[h2]") {
  EngineOptions options;
  options.memory_bytes_max = 200 * 1024;
  Server server(options);
  REQUIRE(feed(server.engine, headers(1, request({}, "/", "POST"), 0)));
  EngineStream& stream = *stream_events_of(server.engine).at(0).stream;
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(feed(server.engine, data(1, std::string(1000, 'a')) + data(1, "b")));
    events_of(server.engine);
    server.engine.consume(stream, 1001);
    take_all(server.engine);
  }
  CHECK(server.engine.unconsumed() == 0);
  CHECK(server.engine.memory_used() < 60 * 1024);
}

TEST_CASE("H2 engine: an idle connection takes little", "[h2]") {
  Server server(EngineOptions{});
  CHECK(server.engine.memory_used() < 8 * 1024);
}

}  // namespace pingora::h2
