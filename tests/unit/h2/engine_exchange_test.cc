// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <string>

#include "pingora/h2/engine.h"
#include "unit/h2/engine_pair.h"

namespace pingora::h2 {
namespace {

using testing::get;
using testing::lines_of;
using testing::Pair;
using testing::stream_events_of;
using Kind = Event::Kind;

}  // namespace

TEST_CASE("H2 engine: a request without a body and its response", "[h2]") {
  Pair pair;
  auto stream = pair.client.submit_request(get("/a?b"), {}, EndOfStream::Yes);
  REQUIRE(stream.has_value());
  pair.pump();

  auto events = stream_events_of(pair.server);
  REQUIRE(events.size() == 1);
  Event& head = events[0];
  CHECK(head.kind == Kind::RequestHead);
  CHECK(head.end == EndOfStream::Yes);
  CHECK(head.body.kind == BodyLength::Kind::None);
  CHECK(head.stream_id == 1);
  CHECK(head.request->method() == Method::Get);
  CHECK(head.request->raw_target() == "/a?b");
  CHECK(head.request->version() == Version::Http2);
  CHECK(lines_of(head.request->headers()) == std::vector<std::string>{"Host: example.com"});

  ResponseHeader response(200);
  REQUIRE(response.insert_header(HeaderId::ContentType, "text/plain"));
  REQUIRE(response.insert_header("X-Own", "1"));
  REQUIRE(pair.server.submit_response(*head.stream, response, {}, EndOfStream::No));
  pair.server.submit_data(*head.stream, Bytes::copy_of("hello"), EndOfStream::Yes);
  pair.pump();

  auto ends = stream_events_of(pair.server);
  REQUIRE(ends.size() == 1);
  CHECK(ends[0].kind == Kind::Closed);
  pair.server.release(*head.stream);
  CHECK(pair.server.streams() == 0);

  auto answers = stream_events_of(pair.client);
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].kind == Kind::ResponseHead);
  CHECK(answers[0].response->status() == 200);
  CHECK(lines_of(answers[0].response->headers()) ==
        std::vector<std::string>{"Content-Type: text/plain", "x-own: 1"});
  CHECK(answers[1].kind == Kind::Data);
  CHECK(answers[1].data == "hello");
  CHECK(answers[1].end == EndOfStream::Yes);
  CHECK(answers[2].kind == Kind::Closed);
  pair.client.consume(**stream, 5);
  pair.client.release(**stream);
  CHECK(pair.client.streams() == 0);
  CHECK(pair.client.unconsumed() == 0);
  CHECK(pair.client.counters().streams_completed == 1);
}

}  // namespace pingora::h2
