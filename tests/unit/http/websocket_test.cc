// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/websocket.h"

#include <catch2/catch.hpp>
#include <string>

#include "http/sha1.h"
#include "pingora/http/forwarded.h"

namespace pingora {
namespace {

std::string hex(std::string_view text) {
  std::string out;
  for (std::uint8_t byte : internal::sha1(text)) {
    out.push_back("0123456789abcdef"[byte >> 4]);
    out.push_back("0123456789abcdef"[byte & 15]);
  }
  return out;
}

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 §1.3
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

RequestHeader upgrade_request() {
  RequestHeader request = RequestHeader::build(Method::Get, "/chat").value();
  REQUIRE(request.insert_header("Host", "a").has_value());
  REQUIRE(request.insert_header("Connection", "keep-alive, Upgrade").has_value());
  REQUIRE(request.insert_header("Upgrade", "websocket").has_value());
  REQUIRE(request.insert_header("Sec-WebSocket-Key", kKey).has_value());
  REQUIRE(request.insert_header("Sec-WebSocket-Version", "13").has_value());
  return request;
}

ResponseHeader upgrade_response() {
  ResponseHeader response(101);
  REQUIRE(response.insert_header("Connection", "upgrade").has_value());
  REQUIRE(response.insert_header("Upgrade", "WebSocket").has_value());
  REQUIRE(response.insert_header("Sec-WebSocket-Accept", kAccept).has_value());
  return response;
}

}  // namespace

TEST_CASE("SHA-1: gives the published digests", "[http]") {
  CHECK(hex("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK(hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  CHECK(hex(std::string(1000000, 'a')) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST_CASE("WebSocket: knows a request to upgrade", "[http]") {
  CHECK(is_websocket_request(upgrade_request()));
  auto without = [](auto change) {
    RequestHeader request = upgrade_request();
    change(request);
    return is_websocket_request(request);
  };
  CHECK_FALSE(without([](RequestHeader& r) { r.remove_header("Upgrade"); }));
  CHECK_FALSE(without([](RequestHeader& r) { r.remove_header("Connection"); }));
  CHECK_FALSE(without([](RequestHeader& r) { r.remove_header("Sec-WebSocket-Key"); }));
  CHECK_FALSE(without([](RequestHeader& r) { r.set_version(Version::Http10); }));
  CHECK_FALSE(without([](RequestHeader& r) { (void)r.set_method(Method::Post); }));
  CHECK_FALSE(without([](RequestHeader& r) { (void)r.insert_header("Upgrade", "h2c"); }));
  CHECK_FALSE(
      without([](RequestHeader& r) { (void)r.insert_header("Upgrade", "websocket, h2c"); }));
  CHECK_FALSE(without([](RequestHeader& r) { (void)r.append_header("Upgrade", "websocket"); }));
  CHECK_FALSE(without([](RequestHeader& r) { (void)r.insert_header("Sec-WebSocket-Key", "a b"); }));
  CHECK_FALSE(
      without([](RequestHeader& r) { (void)r.insert_header("Sec-WebSocket-Version", "8"); }));
}

TEST_CASE("WebSocket: the answer has to match the key", "[http]") {
  CHECK(is_websocket_response(upgrade_response(), kKey));
  CHECK_FALSE(is_websocket_response(upgrade_response(), "x3JJHMbDL1EzLkh9GBhXDg=="));
  ResponseHeader wrong_status = upgrade_response();
  wrong_status.set_status(200);
  CHECK_FALSE(is_websocket_response(wrong_status, kKey));
  ResponseHeader twice = upgrade_response();
  REQUIRE(twice.append_header("Sec-WebSocket-Accept", kAccept).has_value());
  CHECK_FALSE(is_websocket_response(twice, kKey));
  ResponseHeader none = upgrade_response();
  none.remove_header("Sec-WebSocket-Accept");
  CHECK_FALSE(is_websocket_response(none, kKey));
}

TEST_CASE("Forwarded: appends to what a trusted sender had, and quotes", "[http]") {
  CHECK(x_forwarded_for("", "1.2.3.4") == "1.2.3.4");
  CHECK(x_forwarded_for("5.6.7.8", "::1") == "5.6.7.8, ::1");
  CHECK(forwarded("", {.for_node = "1.2.3.4", .by_node = {}, .host = {}, .proto = "http"}) ==
        "for=1.2.3.4;proto=http");
  CHECK(forwarded("for=a",
                  {.for_node = "2001:db8::1", .by_node = "_p", .host = "h:8", .proto = "https"}) ==
        "for=a, for=\"[2001:db8::1]\";by=_p;host=\"h:8\";proto=https");
  CHECK(forwarded("", {.for_node = "[::1]:80", .by_node = {}, .host = "a\"b", .proto = {}}) ==
        "for=\"[::1]:80\";host=\"a\\\"b\"");
}

}  // namespace pingora
