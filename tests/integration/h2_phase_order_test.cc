// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The chart of docs/LIFE_OF_A_REQUEST.md over HTTP/2, on either side or both, and `logging` once
// for every head that was read, also when it was refused.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "h2_wire.h"
#include "recording_proxy.h"
#include "unit/h2/frame_builder.h"

using namespace pingora;
namespace frames = pingora::h2::testing;

namespace {

const Events kGood = {
    "new_ctx",
    "early_request_filter",
    "request_filter",
    "proxy_upstream_filter",
    "upstream_peer 1",
    "connected_to_upstream new",
    "upstream_request_filter",
    "request_body_filter",
    "upstream_response_filter 200",
    "response_filter 200",
    "upstream_response_body_filter",
    "response_body_filter",
    "logging 200 ok",
    "persist_connection_context",
};

ProxyUnderTestOptions both_versions() {
  ProxyUnderTestOptions options;
  options.endpoint.enable_h2c = true;
  return options;
}

std::ptrdiff_t count(const Events& events, std::string_view beginning) {
  return std::count_if(events.begin(), events.end(), [beginning](const std::string& event) {
    return event.starts_with(beginning);
  });
}

}  // namespace

TEST_CASE("H2 phase order: a GET and a POST, with every pair of versions", "[phase_order]") {
  OriginServer h1_origin(OriginServer::answer_with(
      [](const WireMessage& request) { return OriginServer::ok("got " + request.body); }));
  OriginServer h2_origin([](OriginConnection& connection) {
    H2Served served(connection);
    for (std::size_t number = 1; H2Served::Request* request = served.whole(number); ++number) {
      served.respond(*request, "got " + request->body);
    }
  });
  bool is_h2_upstream = GENERATE(false, true);
  HttpPeer peer = is_h2_upstream ? h2_peer(h2_origin.address()) : HttpPeer(h1_origin.address());
  RecordedProxy proxy({.peers = {peer}}, both_versions());
  H2TestClient client(proxy.proxy.address());
  for (std::string_view body : {"", "some bytes"}) {
    auto& response = client.ask({.method = body.empty() ? "GET" : "POST",
                                 .end = body.empty() ? EndOfStream::Yes : EndOfStream::No},
                                body);
    CHECK(response.status() == 200);
    CHECK(response.body == "got " + std::string(body));
    Events expected = kGood;
    if (!body.empty()) expected[5] = "connected_to_upstream reused";
    CHECK(proxy.recording->take_until("persist") == expected);
  }
  // The same upstream for a client of HTTP/1.
  CHECK(proxy.client().get("/").body == "got ");
  CHECK(count(proxy.recording->take_until("persist"), "logging 200 ok") == 1);
}

TEST_CASE("H2 phase order: trailers have filters of their own", "[phase_order]") {
  OriginServer origin([](OriginConnection& connection) {
    H2Served served(connection);
    H2Served::Request* request = served.whole(1);
    served.respond(*request, "hello", EndOfStream::No);
    HeaderMap trailers;
    (void)trailers.append("x-sum", "1");
    served.engine().submit_trailers(*request->stream, trailers);
    served.drain();
  });
  RecordedProxy proxy({.peers = {h2_peer(origin.address())}}, both_versions());
  H2TestClient client(proxy.proxy.address());
  auto& response = client.ask({});
  CHECK(response.body == "hello");
  REQUIRE(response.trailers != nullptr);
  CHECK(response.trailers->get("x-sum") == "1");
  Events expected = kGood;
  Events::iterator logging = expected.end() - 2;
  expected.insert(logging, {"upstream_response_trailer_filter", "response_trailer_filter"});
  CHECK(proxy.recording->take_until("persist") == expected);
}

namespace {

struct RefusedHead {
  const char* what;
  std::string frames;  // on stream 1
  int status;
  bool is_reset = false;  // because it is malformed, so that nobody sees the status but the log
};

std::vector<RefusedHead> refused_heads() {
  using frames::headers;
  using frames::request;
  std::string long_path = "/" + std::string(9000, 'a');
  return {
      {"too long a target", headers(1, request({}, long_path)), 414},
      {"too many fields", headers(1, request(frames::Fields(130, {"x", "y"}))), 431},
      {"too large a list", headers(1, request({{"x", std::string(12000, 'a')}})), 431},
      {"too many fields, and a body",
       headers(1, request(frames::Fields(130, {"x", "y"}), "/", "POST"), 0) +
           frames::data(1, "body", frames::kEndStream),
       431},
      {"a protocol that is not allowed",
       headers(1,
               {{":method", "CONNECT"},
                {":protocol", "teapot"},
                {":scheme", "http"},
                {":path", "/"},
                {":authority", "a"}},
               0),
       501},
      {"a connection field", headers(1, request({{"connection", "close"}})), 400, true},
      {"an upper-case name", headers(1, request({{"X-A", "1"}})), 400, true},
      {"no :path", headers(1, {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}}), 400,
       true},
      {"a :path with a space", headers(1, request({}, "/a b")), 400, true},
      {"a length without a body", headers(1, request({{"content-length", "5"}}, "/", "POST")), 400,
       true},
      {"LF in a value", headers(1, request({{"x-a", "1\n2"}}, "/", "POST"), 0), 400, true},
  };
}

}  // namespace

TEST_CASE("H2 phase order: a head that is refused is logged once", "[phase_order]") {
  for (const RefusedHead& refused : refused_heads()) {
    INFO(refused.what);
    ProxyUnderTestOptions options = both_versions();
    options.endpoint.session.h2.engine.header_list_bytes_max = 12000;
    RecordedProxy proxy({.peers = {}, .answers_request = true}, options);
    TestClient client(proxy.proxy.address());
    REQUIRE(client.send(frames::client_start() + refused.frames));
    Events events = proxy.recording->take_until("persist");
    CHECK(events == Events{"new_ctx", "fail_to_proxy",
                           "logging " + std::to_string(refused.status) + " InvalidHttpHeader",
                           "persist_connection_context"});
    // The connection lives on, and nothing comes behind.
    REQUIRE(client.send(frames::headers(3, frames::request())));
    events = proxy.recording->take_until("persist");
    CHECK(count(events, "new_ctx") == 1);
    CHECK(count(events, "logging 403 ok") == 1);
    bool is_answered = false;
    bool is_reset = false;
    while (!is_answered) {
      auto received = frames::parse_frames(receive_frame(client));
      REQUIRE_FALSE(received.empty());
      is_answered = received[0].type == frames::FrameType::Headers && received[0].stream == 3;
      is_reset |= received[0].type == frames::FrameType::RstStream && received[0].code() == 1;
    }
    CHECK(is_reset == refused.is_reset);
  }
}

TEST_CASE("H1 phase order: a head that is refused is logged once", "[phase_order]") {
  struct Case {
    const char* what;
    std::string bytes;
    int status;
  };
  ProxyUnderTestOptions options = both_versions();
  options.endpoint.session.head_timeout = std::chrono::milliseconds(100);
  for (const Case& refused : std::vector<Case>{
           {"no method", " / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
           {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
           {"two lengths",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: "
            "1\r\n\r\n",
            400},
           {"a length and a coding",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
            "Transfer-Encoding: chunked\r\n\r\n",
            400},
           {"an unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n", 501},
           {"another version", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
           {"too long a target", "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n", 414},
           {"too large a head", "GET / HTTP/1.1\r\nX: " + std::string(70000, 'a'), 431},
           {"a head that does not come", "GET / HTTP/1.1\r\nHost: a\r\n", 408},
       }) {
    INFO(refused.what);
    RecordedProxy proxy({.peers = {}, .answers_request = true}, options);
    TestClient client = proxy.client();
    client.send(refused.bytes);
    CHECK(client.receive_response().status() == refused.status);
    CHECK(proxy.recording->take_until("logging") ==
          Events{"new_ctx", "fail_to_proxy",
                 "logging " + std::to_string(refused.status) + " InvalidHttpHeader"});
    CHECK(client.is_closed_by_peer());
    proxy.proxy.stop();
    CHECK(proxy.recording->take().empty());
  }
}

TEST_CASE("H1 phase order: a connection that ends within a head is logged once", "[phase_order]") {
  RecordedProxy proxy({.peers = {}}, both_versions());
  TestClient client = proxy.client();
  client.send("GET / HTTP/1.1\r\nHost");
  client.finish_sending();
  CHECK(client.receive_response().status() == 400);
  CHECK(proxy.recording->take_until("logging") ==
        Events{"new_ctx", "fail_to_proxy", "logging 400 InvalidHttpHeader"});
}
