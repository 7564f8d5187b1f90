// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The retry table over HTTP/2 to the upstream: what a peer says it has not looked at is tried
// again, whatever it is; the rest is as over HTTP/1.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "h2_wire.h"
#include "recording_proxy.h"
#include "retry_table.h"
#include "unit/h2/frame_builder.h"

using namespace pingora;

namespace {

enum class Fails : std::uint8_t {
  Refused,     // RST_STREAM with REFUSED_STREAM
  LeftOut,     // by a GOAWAY that names no stream
  Reset,       // RST_STREAM with INTERNAL_ERROR
  New,         // the connection ends, and it is a new one
  Reused,      // and it has served before
  BehindHead,  // the stream is reset within the response
  ToAnswer,    // nothing comes
};

// What the first peer does with a request, once all of it is there.
void fail(OriginConnection& connection, Fails how) {
  H2Served served(connection);
  std::size_t number = 1;
  if (how == Fails::Reused) {
    H2Served::Request* warm = served.whole(number++);
    if (warm != nullptr) served.respond(*warm, "warm");
  }
  H2Served::Request* request = served.whole(number);
  if (request == nullptr) return;
  switch (how) {
    case Fails::Refused: served.reset(*request, h2::ErrorCode::RefusedStream); break;
    case Fails::LeftOut: connection.send(h2::testing::goaway(0, 0)); break;
    case Fails::Reset: served.reset(*request, h2::ErrorCode::InternalError); break;
    case Fails::New:
    case Fails::Reused: return;
    case Fails::BehindHead:
      served.respond(*request, "some", EndOfStream::No);
      served.reset(*request, h2::ErrorCode::InternalError);
      break;
    case Fails::ToAnswer: break;
  }
  served.drain();
}

Expected expected(Fails how, Sends request, bool is_forced) {
  if (how == Fails::BehindHead) return {1, 0};
  int status = how == Fails::ToAnswer ? 504 : 502;
  if (request == Sends::LargePost) return {1, status};
  bool is_not_looked_at = how == Fails::Refused || how == Fails::LeftOut;
  bool is_safe = how == Fails::Reused && request == Sends::Get;
  return is_forced || is_not_looked_at || is_safe ? kRetried : Expected{1, status};
}

}  // namespace

TEST_CASE("H2 retry: the table", "[retry]") {
  for (Fails how : {Fails::Refused, Fails::LeftOut, Fails::Reset, Fails::New, Fails::Reused,
                    Fails::BehindHead, Fails::ToAnswer}) {
    for (Sends request : {Sends::Get, Sends::Post, Sends::SmallPost, Sends::LargePost}) {
      for (bool is_forced : {false, true}) {
        CAPTURE(static_cast<int>(how), static_cast<int>(request), is_forced);
        OriginServer failing([how](OriginConnection& connection) { fail(connection, how); });
        HttpPeer first = h2_peer(failing.address());
        if (how == Fails::ToAnswer) first.options.read_timeout = std::chrono::milliseconds(100);
        check_retry({.first = std::move(first),
                     .is_reused = how == Fails::Reused,
                     .is_forced = is_forced,
                     .request = request},
                    expected(how, request, is_forced));
      }
    }
  }
}

TEST_CASE("H2 retry: streams side by side that a GOAWAY leaves out are all tried again",
          "[retry]") {
  constexpr int kStreams = 8;
  OriginServer leaving([](OriginConnection& connection) {
    H2Served served(connection);
    H2Served::Request* first = served.head(1);
    if (first == nullptr || served.head(kStreams) == nullptr) return;
    connection.send(h2::testing::goaway(first->stream->id(), 0));
    served.respond(*first, "kept");
    served.drain();
  });
  OriginServer good(H2Served::answering("good"));
  RecordedProxy proxy({.peers = {h2_peer(leaving.address()), h2_peer(good.address())}}, [] {
    ProxyUnderTestOptions options;
    options.endpoint.enable_h2c = true;
    return options;
  }());
  H2TestClient client(proxy.proxy.address());
  std::vector<test::H2Response*> responses;
  for (int i = 0; i < kStreams; ++i) responses.push_back(&client.begin({}));
  REQUIRE(client.until([&] {
    return std::all_of(responses.begin(), responses.end(),
                       [](const test::H2Response* each) { return each->is_complete; });
  }));
  auto count = [&](std::string_view body) {
    return std::count_if(responses.begin(), responses.end(),
                         [body](const test::H2Response* each) { return each->body == body; });
  };
  CHECK(count("kept") == 1);
  CHECK(count("good") == kStreams - 1);
  CHECK(good.connections() == 1);
}
