// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// The chart of docs/LIFE_OF_A_REQUEST.md, path by path: which phases are called, in which order.
#include <catch2/catch.hpp>
#include <initializer_list>
#include <string>

#include "recording_proxy.h"

using namespace pingora;

namespace {

const Events kBeforePeer = {"new_ctx", "early_request_filter", "request_filter",
                            "proxy_upstream_filter"};
const Events kSending = {"upstream_request_filter", "request_body_filter"};
const Events kGoodHead = {"upstream_response_filter 200", "response_filter 200"};
const Events kBody = {"upstream_response_body_filter", "response_body_filter"};
const Events kGoodEnd = {"logging 200 ok", "persist_connection_context"};
const Events kErrorLog = {"suppress_error_log", "request_summary"};

Events operator+(Events first, const Events& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

OriginServer::Script answer(std::string_view body) {
  return OriginServer::answer_all(OriginServer::ok(body));
}

}  // namespace

TEST_CASE("Phase order: a GET", "[phase_order]") {
  OriginServer origin(answer("hello"));
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())}});
  CHECK(proxy.client().get("/").body == "hello");
  CHECK(proxy.recording->take_until("persist") ==
        kBeforePeer + Events{"upstream_peer 1", "connected_to_upstream new"} + kSending +
            kGoodHead + kBody + kGoodEnd);
  CHECK(proxy.recording->ends() == 3);  // of one request and of both filters of one response
}

TEST_CASE("Phase order: a response without a body has no body filters", "[phase_order]") {
  OriginServer origin(OriginServer::answer_all("HTTP/1.1 204 No Content\r\n\r\n"));
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())}});
  CHECK(proxy.client().get("/").status() == 204);
  CHECK(proxy.recording->take_until("persist") ==
        kBeforePeer + Events{"upstream_peer 1", "connected_to_upstream new"} + kSending +
            Events{"upstream_response_filter 204", "response_filter 204", "logging 204 ok",
                   "persist_connection_context"});
}

TEST_CASE("Phase order: a body in pieces passes its filter once to its end", "[phase_order]") {
  OriginServer origin(OriginServer::answer_with(
      [](const WireMessage& request) { return OriginServer::ok(request.body); }));
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())}});
  TestClient client = proxy.client();
  client.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const char* piece : {"3\r\none\r\n", "3\r\ntw", "o\r\n5", "\r\nthree\r\n0\r\n\r\n"}) {
    client.send(piece);
  }
  CHECK(client.receive_response().body == "onetwothree");
  CHECK(proxy.recording->take_until("persist") ==
        kBeforePeer + Events{"upstream_peer 1", "connected_to_upstream new"} + kSending +
            kGoodHead + kBody + kGoodEnd);
  CHECK(proxy.recording->ends() == 3);
}

TEST_CASE("Phase order: answered by request_filter", "[phase_order]") {
  RecordedProxy proxy({.peers = {}, .answers_request = true});
  CHECK(proxy.client().get("/").body == "no");
  CHECK(proxy.recording->take_until("logging") ==
        Events{"new_ctx", "early_request_filter", "request_filter", "logging 403 ok"});
}

TEST_CASE("Phase order: not sent upstream", "[phase_order]") {
  RecordedProxy proxy({.peers = {}, .goes_upstream = false});
  CHECK(proxy.client().get("/").status() == 502);
  CHECK(proxy.recording->take_until("logging") == kBeforePeer + Events{"logging 502 ok"});
}

TEST_CASE("Phase order: no peer", "[phase_order]") {
  RecordedProxy proxy({.peers = {}, .failing = "upstream_peer"});
  CHECK(proxy.client().get("/").status() == 500);
  CHECK(proxy.recording->take_until("logging") ==
        kBeforePeer + Events{"upstream_peer 1", "fail_to_proxy"} + kErrorLog +
            Events{"logging 500 InternalError"});
}

TEST_CASE("Phase order: a connection that is refused", "[phase_order]") {
  RefusingAddress nobody;
  RecordedProxy proxy({.peers = {HttpPeer(nobody.address())}});
  CHECK(proxy.client().get("/").status() == 502);
  CHECK(proxy.recording->take_until("logging") ==
        kBeforePeer + Events{"upstream_peer 1", "fail_to_connect ConnectRefused", "fail_to_proxy"} +
            kErrorLog + Events{"logging 502 ConnectRefused"});
}

TEST_CASE("Phase order: a refused connection, and another peer", "[phase_order]") {
  RefusingAddress nobody;
  OriginServer origin(answer("hello"));
  RecordedProxy proxy(
      {.peers = {HttpPeer(nobody.address()), HttpPeer(origin.address())}, .retries_connect = true});
  CHECK(proxy.client().get("/").body == "hello");
  CHECK(proxy.recording->take_until("persist") ==
        kBeforePeer + Events{"upstream_peer 1", "fail_to_connect ConnectRefused"} + kErrorLog +
            Events{"upstream_peer 2", "connected_to_upstream new"} + kSending + kGoodHead + kBody +
            kGoodEnd);
}

TEST_CASE("Phase order: a reused connection fails, and a new one serves", "[phase_order]") {
  OriginServer origin(OriginServer::in_turn({
      [](OriginConnection& connection) {
        connection.read_request();
        connection.send(OriginServer::ok("first"));
        connection.read_request();
      },
      answer("second"),
  }));
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())}});
  TestClient client = proxy.client();
  CHECK(client.get("/").body == "first");
  proxy.recording->take_until("persist");
  CHECK(client.get("/").body == "second");
  CHECK(proxy.recording->take_until("persist") ==
        kBeforePeer + Events{"upstream_peer 1", "connected_to_upstream reused"} + kSending +
            Events{"error_while_proxy ConnectionClosed"} + kErrorLog +
            Events{"upstream_peer 2", "connected_to_upstream new"} + kSending + kGoodHead + kBody +
            kGoodEnd);
  auto requests = origin.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[1].get("X-Try") == "1");
  CHECK(requests[2].get("X-Try") == "2");
}

TEST_CASE("Phase order: a response that breaks off", "[phase_order]") {
  OriginServer origin([](OriginConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
  });
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())}});
  WireMessage response = proxy.client().get("/");
  CHECK_FALSE(response.is_complete);
  CHECK(proxy.recording->take_until("logging") ==
        kBeforePeer + Events{"upstream_peer 1", "connected_to_upstream new"} + kSending +
            kGoodHead + kBody + Events{"error_while_proxy ConnectionClosed", "fail_to_proxy"} +
            kErrorLog + Events{"logging 200 ConnectionClosed"});
  CHECK(proxy.log.text().find("status: 0, tries: 1, GET /") != std::string::npos);
}

TEST_CASE("Phase order: 1xx responses pass the header filters", "[phase_order]") {
  OriginServer origin(OriginServer::answer_all(
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" +
      OriginServer::ok("hello")));
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())}});
  TestClient client = proxy.client();
  CHECK(client.get("/").status() == 103);
  CHECK(client.receive_response().status() == 102);
  CHECK(client.receive_response().body == "hello");
  CHECK(proxy.recording->take_until("persist") ==
        kBeforePeer + Events{"upstream_peer 1", "connected_to_upstream new"} + kSending +
            Events{"upstream_response_filter 103", "response_filter 103",
                   "upstream_response_filter 102", "response_filter 102"} +
            kGoodHead + kBody + kGoodEnd);
}

TEST_CASE("Phase order: trailers have filters of their own", "[phase_order]") {
  OriginServer origin(
      OriginServer::answer_all("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"));
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())}});
  WireMessage response = proxy.client().get("/", "TE: trailers\r\nConnection: TE\r\n");
  CHECK(response.body == "hello");
  CHECK(response.trailers == "X-Sum: 1\r\n");
  CHECK(proxy.recording->take_until("persist") ==
        kBeforePeer + Events{"upstream_peer 1", "connected_to_upstream new"} + kSending +
            kGoodHead + kBody +
            Events{"upstream_response_trailer_filter", "response_trailer_filter"} + kGoodEnd);
}

TEST_CASE("Phase order: an upgrade passes the body filters in both directions", "[phase_order]") {
  constexpr std::string_view kFields =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  OriginServer origin([](OriginConnection& connection) {
    connection.read_request();
    connection.send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        "\r\n\r\n");
    connection.send("you said " + connection.receive(5));
    connection.receive_all();
  });
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())}});
  TestClient client = proxy.client();
  CHECK(client.get("/", kFields).status() == 101);
  client.send("hello");
  CHECK(client.receive(14) == "you said hello");
  client.close();
  CHECK(proxy.recording->take_until("logging") ==
        kBeforePeer + Events{"upstream_peer 1", "connected_to_upstream new"} + kSending +
            Events{"upstream_response_filter 101", "response_filter 101", "request_body_filter"} +
            Events{"upstream_response_body_filter", "response_body_filter", "logging 101 ok"});
}

TEST_CASE("Phase order: CONNECT, refused and allowed", "[phase_order]") {
  OriginServer origin([](OriginConnection& connection) {
    connection.send("you said " + connection.receive(5));
    connection.receive_all();
  });
  constexpr std::string_view kConnect =
      "CONNECT origin.example:443 HTTP/1.1\r\nHost: origin.example:443\r\n\r\n";
  SECTION("refused") {
    RecordedProxy proxy({.peers = {HttpPeer(origin.address())}});
    TestClient client = proxy.client();
    client.send(kConnect);
    CHECK(client.receive_response().status() == 405);
    CHECK(proxy.recording->take_until("logging") ==
          Events{"new_ctx", "fail_to_proxy", "logging 405 HttpStatus"});
  }
  SECTION("allowed") {
    RecordedProxy proxy({.peers = {HttpPeer(origin.address())}},
                        {.proxy = {.allow_connect_method_proxying = true}});
    TestClient client = proxy.client();
    client.send(kConnect);
    CHECK(client.receive_until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
    client.send("hello");
    CHECK(client.receive(14) == "you said hello");
    client.close();
    CHECK(proxy.recording->take_until("logging") ==
          kBeforePeer + Events{"upstream_peer 1", "logging 200 ok"});
  }
}

TEST_CASE("Phase order: a head that is refused", "[phase_order]") {
  RecordedProxy proxy({.peers = {}});
  TestClient client = proxy.client();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  CHECK(client.receive_response().status() == 400);
  CHECK(proxy.recording->take_until("logging") ==
        Events{"new_ctx", "fail_to_proxy", "logging 400 InvalidHttpHeader"});
}

TEST_CASE("Phase order: what a connection keeps comes with the next request", "[phase_order]") {
  OriginServer origin(answer("hello"));
  RecordedProxy proxy({.peers = {HttpPeer(origin.address())}, .persists = true});
  TestClient client = proxy.client();
  client.get("/");
  Events first = proxy.recording->take_until("persist");
  CHECK(first[1] == "early_request_filter");
  client.get("/");
  CHECK(proxy.recording->take_until("persist") ==
        Events{"new_ctx", "on_connection_reuse kept", "early_request_filter", "request_filter",
               "proxy_upstream_filter", "upstream_peer 1", "connected_to_upstream reused"} +
            kSending + kGoodHead + kBody + kGoodEnd);
  proxy.client().get("/");
  CHECK(proxy.recording->take_until("persist")[1] == "early_request_filter");
}
