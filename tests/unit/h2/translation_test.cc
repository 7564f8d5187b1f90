// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h2/translation.h"

#include <catch2/catch.hpp>
#include <string>

#include "pingora/http/websocket.h"

namespace pingora::h2 {
namespace {

RequestHeader extended_connect() {
  RequestHeader request;
  request.set_received(Method::Connect, "/chat", TargetForm::Origin, "/chat", Version::Http2);
  REQUIRE(request.insert_header(HeaderId::Host, "example.com"));
  REQUIRE(request.insert_header(HeaderId::SecWebSocketProtocol, "chat"));
  REQUIRE(request.insert_header(HeaderId::SecWebSocketVersion, "13"));
  return request;
}

}  // namespace

TEST_CASE("H2 translation: a WebSocket's CONNECT becomes an upgrade and the reverse", "[h2]") {
  RequestHeader request = extended_connect();
  REQUIRE(to_http1_websocket(request));
  CHECK(is_websocket_request(request));
  CHECK(request.path_and_query() == "/chat");
  CHECK(request.get_header(HeaderId::SecWebSocketProtocol) == "chat");
  std::string key(*request.get_header(HeaderId::SecWebSocketKey));
  CHECK(key.size() == 24);

  REQUIRE(to_http2_websocket(request));
  CHECK(request.method() == Method::Connect);
  CHECK(request.path_and_query() == "/chat");
  for (HeaderId id : {HeaderId::Connection, HeaderId::Upgrade, HeaderId::SecWebSocketKey}) {
    CHECK_FALSE(request.headers().contains(id));
  }
  CHECK(request.get_header(HeaderId::SecWebSocketProtocol) == "chat");
}

TEST_CASE("H2 translation: each upgrade has a key of its own", "[h2]") {
  RequestHeader first = extended_connect();
  RequestHeader second = extended_connect();
  REQUIRE(to_http1_websocket(first));
  REQUIRE(to_http1_websocket(second));
  CHECK(first.get_header(HeaderId::SecWebSocketKey) !=
        second.get_header(HeaderId::SecWebSocketKey));
}

TEST_CASE("H2 translation: a WebSocket's 200 becomes the 101 for the key and the reverse", "[h2]") {
  constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
  ResponseHeader response(200);
  REQUIRE(to_http1_websocket(response, kKey));
  CHECK(is_websocket_response(response, kKey));
  REQUIRE(to_http2_websocket(response));
  CHECK(response.status() == 200);
  CHECK(response.headers().empty());
}

TEST_CASE("H2 translation: other messages are left as they are", "[h2]") {
  RequestHeader get;
  CHECK_FALSE(to_http1_websocket(get));
  CHECK_FALSE(to_http2_websocket(get));
  CHECK(get.method() == Method::Get);
  RequestHeader connect = *RequestHeader::build(Method::Connect, "example.com:443");
  CHECK_FALSE(to_http1_websocket(connect));
  ResponseHeader refused(403);
  CHECK_FALSE(to_http1_websocket(refused, "key"));
  CHECK_FALSE(to_http2_websocket(refused));
  CHECK(refused.status() == 403);
}

}  // namespace pingora::h2
