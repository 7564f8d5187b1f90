// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/request_header.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "pingora/http/response_header.h"

namespace pingora {

TEST_CASE("Method: known ones by number, others by text", "[http]") {
  for (std::string_view text :
       {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PURGE"}) {
    CHECK(Method::from(text).text() == text);
    CHECK(Method::from(text).known() != Method::Other);
  }
  for (std::string_view text : {"", "get", "GOT", "HEAT", "PAINT", "POSTS", "QUERIES"}) {
    CHECK(Method::from(text).known() == Method::Other);
    CHECK(Method::from(text).text() == text);
  }
  CHECK(Method::from("QUERY") == Method::from("QUERY"));
  CHECK_FALSE(Method::from("QUERY") == Method::from("OTHER"));
  CHECK(Method(Method::Put).is_idempotent());
  CHECK_FALSE(Method(Method::Post).is_idempotent());
  CHECK_FALSE(Method::from("X").is_safe());
}

TEST_CASE("StatusCode: 100 to 999, with the registered reasons", "[http]") {
  CHECK_FALSE(StatusCode::from(99).has_value());
  CHECK(StatusCode::from(100).has_value());
  CHECK(StatusCode::from(999).has_value());
  CHECK_FALSE(StatusCode::from(1000).has_value());
  CHECK_FALSE(StatusCode::from(-200).has_value());
  CHECK(StatusCode(404).canonical_reason() == "Not Found");
  CHECK(StatusCode(299).canonical_reason().empty());
}

TEST_CASE("RequestHeader: takes a target apart", "[http]") {
  RequestHeader header = RequestHeader::build(Method::Get, "/a/b.c?x=y?z").value();
  CHECK(header.raw_target() == "/a/b.c?x=y?z");
  CHECK(header.path() == "/a/b.c");
  CHECK(header.query() == "x=y?z");
  CHECK(header.uri_file_extension() == "c");
  CHECK(header.authority().empty());
  REQUIRE(header.insert_header("Host", "h:1").has_value());
  CHECK(header.authority() == "h:1");
  CHECK(header.host() == "h");
  REQUIRE(header.set_uri("http://[::1]:8080").has_value());
  CHECK(header.path() == "/");
  CHECK(header.authority() == "[::1]:8080");
  CHECK(header.host() == "[::1]");
  REQUIRE(header.set_uri("http://b?q").has_value());
  CHECK(header.path_and_query() == "/?q");
  CHECK(header.raw_target() == "http://b?q");
}

TEST_CASE("RequestHeader: refuses a malformed method or target and keeps the old one", "[http]") {
  RequestHeader header = RequestHeader::build(Method::Get, "/x").value();
  for (std::string_view target : {"", "x", "/a b", "/a\r\n", "/\x80", "*", "h:80", "/#"}) {
    CHECK_FALSE(header.set_uri(target).has_value());
    CHECK(header.path() == "/x");
  }
  CHECK_FALSE(header.set_method(Method::from("A B")).has_value());
  CHECK_FALSE(header.set_method(Method::from("")).has_value());
  CHECK(header.method() == Method::Get);
  CHECK_FALSE(header.set_raw_path("a").has_value());
  CHECK_FALSE(header.set_raw_path("/a\n").has_value());
  CHECK(header.set_raw_path("/\x80?\xff").has_value());
  CHECK(header.path() == "/\x80");
  REQUIRE(header.set_method(Method::Connect).has_value());
  CHECK(header.set_uri("h:80").has_value());
  CHECK(header.path_and_query().empty());
}

TEST_CASE("RequestHeader: its views survive a move and a clone", "[http]") {
  RequestHeader clone;
  {
    RequestHeader header = RequestHeader::build(Method::from("FROB"), "http://b?q").value();
    REQUIRE(header.append_header("X-Custom", "v").has_value());
    RequestHeader moved = std::move(header);
    CHECK(header.path() == "/");  // NOLINT(bugprone-use-after-move): is documented to be fresh
    clone = moved.clone();
    moved.clear();
  }
  CHECK(clone.method().text() == "FROB");
  CHECK(clone.raw_target() == "http://b?q");
  CHECK(clone.path_and_query() == "/?q");
  CHECK(clone.authority() == "b");
  CHECK(clone.get_header("x-custom") == "v");
}

TEST_CASE("ResponseHeader: status, reason and length", "[http]") {
  CHECK_FALSE(ResponseHeader::build(99).has_value());
  ResponseHeader header = ResponseHeader::build(404).value();
  CHECK(header.reason_phrase() == "Not Found");
  REQUIRE(header.set_reason_phrase("Nope").has_value());
  CHECK(header.reason_phrase() == "Nope");
  CHECK_FALSE(header.set_reason_phrase("a\rb").has_value());
  ResponseHeader moved = std::move(header);
  ResponseHeader clone = moved.clone();
  moved.clear();
  CHECK(clone.reason_phrase() == "Nope");
  clone.set_status(500);
  CHECK(clone.reason_phrase() == "Internal Server Error");
  REQUIRE(clone.insert_header("Transfer-Encoding", "chunked").has_value());
  clone.set_content_length(18446744073709551615u);
  CHECK(clone.get_header("content-length") == "18446744073709551615");
  CHECK_FALSE(clone.get_header("transfer-encoding").has_value());
}

}  // namespace pingora
