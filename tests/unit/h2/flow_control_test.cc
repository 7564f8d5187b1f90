// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Flow control by hand (RFC 9113 §5.2, §6.9): what no engine of ours would send.
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "pingora/h2/engine.h"
#include "unit/h2/engine_pair.h"
#include "unit/h2/frame_builder.h"

namespace pingora::h2 {
namespace {

using namespace testing;
using Kind = Event::Kind;

constexpr std::uint8_t kInitialWindowSize = 4;
constexpr std::uint32_t kWindowMax = 0x7fffffff;
const std::string kPost = headers(1, request({}, "/", "POST"), 0);

// A server whose client has asked for stream 1, and knows our settings.
struct Server {
  explicit Server(const EngineOptions& given = {}, std::string_view announced = {})
      : options(given), engine(Role::Server, options, kStart) {
    REQUIRE(feed(engine, std::string(kPreface) + settings(announced) + settings({}, kAck) + kPost));
    stream = stream_events_of(engine).at(0).stream;
    take_all(engine);
  }
  void respond(std::size_t bytes) {
    REQUIRE(engine.submit_response(*stream, ResponseHeader(200), {}, EndOfStream::No));
    engine.submit_data(*stream, Bytes::copy_of(std::string(bytes, 'a')), EndOfStream::No);
  }
  // How much data it sends.
  std::size_t sent() {
    std::size_t bytes = 0;
    for (const ParsedFrame& frame : parse_frames(take_all(engine))) {
      if (frame.type == FrameType::Data) bytes += frame.payload.size();
    }
    return bytes;
  }
  // The code of the frame of that type that it sends; NoError if there is none.
  ErrorCode code_of(FrameType type) {
    auto frames = parse_frames(take_all(engine));
    const ParsedFrame* found = find_frame(frames, type);
    return found != nullptr ? static_cast<ErrorCode>(found->code()) : ErrorCode::NoError;
  }

  EngineOptions options;
  Engine engine;
  EngineStream* stream = nullptr;
};

std::string padded(std::uint32_t stream, std::string_view bytes, std::uint8_t padding) {
  return data(
      stream,
      std::string(1, static_cast<char>(padding)) + std::string(bytes) + std::string(padding, '\0'),
      kPadded);
}

}  // namespace

// What the peer gives.

TEST_CASE("H2 flow control: a window made smaller than what was sent opens late", "[h2]") {
  Server server({}, setting(kInitialWindowSize, 1000));
  server.respond(5000);
  CHECK(server.sent() == 1000);
  REQUIRE(feed(server.engine, settings(setting(kInitialWindowSize, 400))));  // -600 now
  REQUIRE(feed(server.engine, window_update(1, 600)));
  CHECK(server.sent() == 0);
  REQUIRE(feed(server.engine, window_update(1, 1)));
  CHECK(server.sent() == 1);
  REQUIRE(feed(server.engine, settings(setting(kInitialWindowSize, 1400))));
  CHECK(server.sent() == 1000);
  CHECK(server.stream->send_buffered() == 5000 - 2001);
}

TEST_CASE("H2 flow control: the last of several sizes in one frame counts", "[h2]") {
  Server server({}, setting(kInitialWindowSize, 1000));
  server.respond(5000);
  CHECK(server.sent() == 1000);
  REQUIRE(feed(server.engine, settings(setting(kInitialWindowSize, kWindowMax) +
                                       setting(kInitialWindowSize, 1500))));
  CHECK(server.sent() == 500);
}

TEST_CASE("H2 flow control: the connection's window holds for all streams", "[h2]") {
  Server server({}, setting(kInitialWindowSize, 1000000));
  server.respond(100000);
  CHECK(server.sent() == 65535);
  CHECK(server.engine.send_window() == 0);
  CHECK_FALSE(server.engine.has_output());
  REQUIRE(feed(server.engine, window_update(0, 10)));
  CHECK(server.sent() == 10);
}

TEST_CASE("H2 flow control: an end without data needs no window", "[h2]") {
  Server server({}, setting(kInitialWindowSize, 100));
  server.respond(100);
  CHECK(server.sent() == 100);
  server.engine.submit_data(*server.stream, Bytes(), EndOfStream::Yes);
  auto frames = parse_frames(take_all(server.engine));
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].type == FrameType::Data);
  CHECK(frames[0].flags == kEndStream);
}

TEST_CASE("H2 flow control: a window that gets too large, or grows by nothing", "[h2]") {
  auto stream_reset_by = [](const std::string& bytes) {
    Server server;
    REQUIRE(feed(server.engine, bytes));
    CHECK(stream_events_of(server.engine).at(0).kind == Kind::Reset);
    return server.code_of(FrameType::RstStream);
  };
  CHECK(stream_reset_by(window_update(1, kWindowMax)) == ErrorCode::FlowControlError);
  CHECK(stream_reset_by(window_update(1, 0)) == ErrorCode::ProtocolError);
  auto connection_ended_by = [](const std::string& bytes) {
    Server server;
    CHECK_FALSE(feed(server.engine, bytes));
    return server.code_of(FrameType::Goaway);
  };
  CHECK(connection_ended_by(window_update(0, kWindowMax)) == ErrorCode::FlowControlError);
  CHECK(connection_ended_by(window_update(0, 0)) == ErrorCode::ProtocolError);
  CHECK(connection_ended_by(window_update(3, 1)) == ErrorCode::ProtocolError);
  CHECK(connection_ended_by(window_update(2, 1)) == ErrorCode::ProtocolError);
  CHECK(connection_ended_by(settings(setting(kInitialWindowSize, kWindowMax + 1))) ==
        ErrorCode::FlowControlError);
  CHECK(connection_ended_by(window_update(1, 10) +
                            settings(setting(kInitialWindowSize, kWindowMax))) ==
        ErrorCode::FlowControlError);
}

// What we give.

TEST_CASE("H2 flow control: a stream's window, to its last byte and beyond", "[h2]") {
  EngineOptions options;
  options.stream_window_bytes = options.stream_window_bytes_max = 1000;
  for (std::size_t size : {999, 1000, 1001}) {
    CAPTURE(size);
    Server server(options);
    REQUIRE(feed(server.engine, data(1, std::string(size, 'x'))));
    bool fits = size <= 1000;
    CHECK(stream_events_of(server.engine).at(0).kind == (fits ? Kind::Data : Kind::Reset));
    CHECK(server.code_of(FrameType::RstStream) ==
          (fits ? ErrorCode::NoError : ErrorCode::FlowControlError));
  }
}

TEST_CASE("H2 flow control: the connection's window, to its last byte and beyond", "[h2]") {
  EngineOptions options;
  options.stream_window_bytes = 1000000;
  options.connection_window_bytes = 0;  // 65,535 is the least
  Server server(options);
  for (int i = 0; i < 3; ++i) REQUIRE(feed(server.engine, data(1, std::string(16384, 'x'))));
  REQUIRE(feed(server.engine, data(1, std::string(16383, 'x'))));
  CHECK(server.engine.receive_window() == 0);
  REQUIRE(feed(server.engine, data(1, "")));
  CHECK_FALSE(feed(server.engine, data(1, "x")));
  CHECK(server.code_of(FrameType::Goaway) == ErrorCode::FlowControlError);
}

TEST_CASE("H2 flow control: what we announce holds once the peer has said that it knows", "[h2]") {
  EngineOptions options;
  options.stream_window_bytes = options.stream_window_bytes_max = 1000;
  Engine engine(Role::Server, options, kStart);
  REQUIRE(feed(engine, client_start() + kPost + data(1, std::string(10000, 'x'))));
  auto events = stream_events_of(engine);
  REQUIRE(events.size() == 2);
  CHECK(events[1].kind == Kind::Data);
  take_all(engine);
  REQUIRE(feed(engine, settings({}, kAck) + headers(3, request({}, "/", "POST"), 0) +
                           data(3, std::string(1001, 'x'))));
  CHECK(stream_events_of(engine).at(1).kind == Kind::Reset);
  // The first is 9,000 bytes over: its window opens when they have been read, and half as much.
  engine.consume(*events[0].stream, 10000);
  auto frames = parse_frames(take_all(engine));
  const ParsedFrame* update = find_frame(frames, FrameType::WindowUpdate);
  REQUIRE(update != nullptr);
  CHECK(update->stream == 1);
  CHECK(update->payload_number(0) == 10000);
}

TEST_CASE("H2 flow control: an acknowledgement of nothing ends the connection", "[h2]") {
  Server server;
  CHECK_FALSE(feed(server.engine, settings({}, kAck)));
  CHECK(server.code_of(FrameType::Goaway) == ErrorCode::ProtocolError);
}

TEST_CASE("H2 flow control: padding counts and is given back", "[h2]") {
  EngineOptions options;
  options.stream_window_bytes = options.stream_window_bytes_max = 1000;
  for (std::size_t piece : {0, 1, 3}) {
    Server server(options);
    // Many times the window: the reader takes what is data, and nobody the rest.
    for (int i = 0; i < 100; ++i) {
      REQUIRE(feed(server.engine, padded(1, "data", 250), piece));
      std::size_t received = 0;
      for (const Event& event : stream_events_of(server.engine)) received += event.data.size();
      CHECK(received == 4);
      server.engine.consume(*server.stream, 4);
      CHECK(server.code_of(FrameType::RstStream) != ErrorCode::FlowControlError);
    }
    CHECK(server.engine.unconsumed() == 0);
  }
}

TEST_CASE("H2 flow control: more padding than a frame has bytes ends the connection", "[h2]") {
  for (auto [padding, is_good] : {std::pair{3, true}, {4, false}, {255, false}}) {
    for (bool is_data : {true, false}) {
      CAPTURE(padding, is_data);
      Server server;
      std::string payload = std::string(1, static_cast<char>(padding)) + std::string(3, '\0');
      std::string head = std::string(1, static_cast<char>(padding)) + std::string(3, '\x82');
      bool is_taken =
          feed(server.engine,
               is_data ? data(1, payload, kPadded)
                       : frame(FrameType::Headers, kPadded | kEndHeaders | kEndStream, 3, head));
      CHECK(is_taken == is_good);
      if (!is_good) CHECK(server.code_of(FrameType::Goaway) == ErrorCode::ProtocolError);
    }
  }
}

// Whatever becomes of a stream while a frame for it arrives, and whichever part of that is here.
TEST_CASE("H2 flow control: a frame that is cut by a reset is given back as a whole", "[h2]") {
  EngineOptions options;
  options.connection_window_bytes = options.connection_window_bytes_max = 100000;
  Server server(options);
  std::uint32_t id = 1;
  for (std::size_t cut = 0; cut < 300; ++cut) {
    CAPTURE(cut);
    std::string bytes = padded(id, std::string(10000, 'x'), 100);
    std::size_t at = cut < 20 ? cut : cut * 33;
    REQUIRE(feed(server.engine, bytes.substr(0, at)));
    server.engine.reset(*server.stream, ErrorCode::Cancel);
    server.engine.release(*server.stream);
    REQUIRE(feed(server.engine, bytes.substr(at)));
    id += 2;
    REQUIRE(feed(server.engine, headers(id, request({}, "/", "POST"), 0)));
    server.stream = stream_events_of(server.engine).at(0).stream;
    CHECK(server.engine.unconsumed() == 0);
    // Less than half the window is kept back.
    CHECK(server.engine.receive_window_used() < 50000);
    take_all(server.engine);
  }
}

}  // namespace pingora::h2
