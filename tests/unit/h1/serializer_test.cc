// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h1/serializer.h"

#include <catch2/catch.hpp>
#include <string>

#include "pingora/h1/head_parser.h"

namespace pingora::h1 {
namespace {

RequestHeader parsed(std::string_view head) {
  Buffer in;
  in.append(head);
  HeadProgress progress;
  RequestHeader header;
  REQUIRE(parse_request_head(in, progress, {}, header).status == ParseStatus::Done);
  return header;
}

std::string written(const RequestHeader& header, const HeadEdits& edits = {}) {
  Buffer out;
  REQUIRE(write_request_head(header, edits, out).has_value());
  return std::string(out.view());
}

std::string written(const ResponseHeader& header, const HeadEdits& edits = {}) {
  Buffer out;
  REQUIRE(write_response_head(header, edits, out).has_value());
  return std::string(out.view());
}

constexpr std::string_view kHead =
    "GET /x HTTP/1.1\r\nHost: a\r\nX-One:  1\r\nConnection: x-two, keep-alive\r\nX-Two: 2\r\n"
    "Accept:*/*\r\n\r\n";

}  // namespace

TEST_CASE("H1 serializer: an untouched head comes out as it came in", "[h1]") {
  CHECK(written(parsed(kHead)) == kHead);
}

TEST_CASE("H1 serializer: blanks behind values and changed fields are written anew", "[h1]") {
  RequestHeader header = parsed("GET / HTTP/1.1\r\nHost: a \r\nB:b\r\nC: c\r\nD: d\r\n\r\n");
  REQUIRE(header.insert_header("C", "changed").has_value());
  REQUIRE(header.append_header("E", "").has_value());
  CHECK(written(header) == "GET / HTTP/1.1\r\nHost: a\r\nB:b\r\nC: changed\r\nD: d\r\nE: \r\n\r\n");
}

TEST_CASE("H1 serializer: leaves out, adds and renames on the way", "[h1]") {
  RequestHeader header = parsed(kHead);
  HopByHopFields hop_by_hop(header.headers());
  ExtraField add[] = {{"X-Forwarded-For", "1.2.3.4"}, {HeaderId::Connection, "close"}};
  HeadEdits edits{.skip = {HeaderId::Accept},
                  .hop_by_hop = &hop_by_hop,
                  .add = add,
                  .version = Version::Http10,
                  .target = WriteTarget::Origin};
  CHECK(written(header, edits) ==
        "GET /x HTTP/1.0\r\nHost: a\r\nX-One:  1\r\nX-Forwarded-For: 1.2.3.4\r\n"
        "Connection: close\r\n\r\n");
}

TEST_CASE("H1 serializer: an added field that is none is refused, and nothing written", "[h1]") {
  RequestHeader header = parsed(kHead);
  Buffer out;
  using namespace std::string_view_literals;
  for (std::string_view value : {"a\rb"sv, "a\nb"sv, "a\0b"sv}) {
    ExtraField add[] = {{"X", value}};
    HeadEdits edits;
    edits.add = add;
    CHECK_FALSE(write_request_head(header, edits, out).has_value());
    ExtraField bad_name[] = {{value, "x"}};
    edits.add = bad_name;
    CHECK_FALSE(write_request_head(header, edits, out).has_value());
  }
  ExtraField no_name[] = {{HeaderId::Other, "x"}};
  HeadEdits edits;
  edits.add = no_name;
  CHECK_FALSE(write_request_head(header, edits, out).has_value());
  CHECK(out.empty());
}

TEST_CASE("H1 serializer: writes absolute-form for a proxy, origin-form for an origin", "[h1]") {
  RequestHeader header = parsed("GET http://b?y HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(written(header) == "GET /?y HTTP/1.1\r\nHost: b\r\n\r\n");
  HeadEdits edits;
  edits.target = WriteTarget::AsReceived;
  CHECK(written(header, edits) == "GET http://b?y HTTP/1.1\r\nHost: b\r\n\r\n");
  CHECK(written(parsed("CONNECT b:1 HTTP/1.1\r\nHost: a\r\n\r\n")) ==
        "CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n");
}

TEST_CASE("H1 serializer: responses with any status and reason", "[h1]") {
  ResponseHeader header(404);
  CHECK(written(header) == "HTTP/1.1 404 Not Found\r\n\r\n");
  REQUIRE(header.set_reason_phrase("").has_value());
  header.set_content_length(0);
  CHECK(written(header) == "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n");
  header.set_status(999);
  CHECK(written(header) == "HTTP/1.1 999 \r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("H1 serializer: appends to what the buffer holds", "[h1]") {
  Buffer out;
  out.append("before ");
  REQUIRE(write_response_head(ResponseHeader(204), {}, out).has_value());
  CHECK(out.view() == "before HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_CASE("H1 serializer: chunk heads", "[h1]") {
  CHECK(ChunkHead(1).view() == "1\r\n");
  CHECK(ChunkHead(0x10).view() == "10\r\n");
  CHECK(ChunkHead(0xabcdef).view() == "abcdef\r\n");
  CHECK(ChunkHead(0xffffffffffffffff).view() == "ffffffffffffffff\r\n");
}

TEST_CASE("H1 serializer: trailers, but for those that may not be", "[h1]") {
  HeaderMap trailers;
  Buffer out;
  write_trailers(trailers, out);
  CHECK(out.view() == kLastChunk);
  out.reset();
  REQUIRE(trailers.append("X-Sum", "1").has_value());
  REQUIRE(trailers.append("Content-Length", "1").has_value());
  write_trailers(trailers, out);
  CHECK(out.view() == "0\r\nX-Sum: 1\r\n\r\n");
}

}  // namespace pingora::h1
