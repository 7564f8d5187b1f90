// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h1/framing.h"

#include <catch2/catch.hpp>
#include <initializer_list>
#include <utility>

namespace pingora::h1 {
namespace {

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

RequestHeader request(Fields fields, Version version = Version::Http11) {
  RequestHeader header;
  header.set_version(version);
  for (auto [name, value] : fields) REQUIRE(header.append_header(name, value).has_value());
  return header;
}

ResponseHeader response(int status, Fields fields, Version version = Version::Http11) {
  ResponseHeader header = ResponseHeader::build(status).value();
  header.set_version(version);
  for (auto [name, value] : fields) REQUIRE(header.append_header(name, value).has_value());
  return header;
}

}  // namespace

TEST_CASE("H1 framing: of requests goes by the fields, never by the method", "[h1]") {
  CHECK(request_framing(request({})) == Framing::none());
  CHECK(request_framing(request({{"Content-Length", "0"}})) == Framing::sized(0));
  CHECK(request_framing(request({{"Content-Length", "18446744073709551615"}})) ==
        Framing::sized(18446744073709551615u));
  CHECK(request_framing(request({{"Transfer-Encoding", "Chunked"}})) == Framing::chunked());
  CHECK(request_framing(request({{"Content-Length", "7"}}, Version::Http10)) == Framing::sized(7));
}

TEST_CASE("H1 framing: of responses goes by status and method first", "[h1]") {
  Fields sized = {{"Content-Length", "5"}};
  Fields chunked = {{"Transfer-Encoding", "chunked"}};
  CHECK(response_framing(response(200, sized), Method::Get) == Framing::sized(5));
  CHECK(response_framing(response(200, chunked), Method::Post) == Framing::chunked());
  CHECK(response_framing(response(200, {}), Method::Get) == Framing::until_close());
  CHECK(response_framing(response(999, {}), Method::Get) == Framing::until_close());
  for (Fields fields : {sized, chunked, Fields{}}) {
    CHECK(response_framing(response(200, fields), Method::Head) == Framing::none());
    CHECK(response_framing(response(100, fields), Method::Get) == Framing::none());
    CHECK(response_framing(response(101, fields), Method::Get) == Framing::none());
    CHECK(response_framing(response(204, fields), Method::Get) == Framing::none());
    CHECK(response_framing(response(304, fields), Method::Get) == Framing::none());
    CHECK(response_framing(response(200, fields), Method::Connect) == Framing::none());
  }
  CHECK(response_framing(response(407, sized), Method::Connect) == Framing::sized(5));
}

TEST_CASE("H1 keep-alive: default and exceptions of both versions", "[h1]") {
  CHECK(keep_alive(request({})) == KeepAlive::Yes);
  CHECK(keep_alive(request({{"Connection", "close"}})) == KeepAlive::No);
  CHECK(keep_alive(request({{"Connection", "upgrade, Close"}})) == KeepAlive::No);
  CHECK(keep_alive(request({{"Connection", "closed"}})) == KeepAlive::Yes);
  CHECK(keep_alive(request({}, Version::Http10)) == KeepAlive::No);
  CHECK(keep_alive(request({{"Connection", "Keep-Alive"}}, Version::Http10)) == KeepAlive::Yes);
  CHECK(keep_alive(request({{"Connection", "keep-alive, close"}}, Version::Http10)) ==
        KeepAlive::No);
  CHECK(keep_alive(response(200, {}), Framing::sized(1)) == KeepAlive::Yes);
  CHECK(keep_alive(response(200, {}), Framing::until_close()) == KeepAlive::No);
  CHECK(keep_alive(response(200, {{"Connection", "close"}}), Framing::chunked()) == KeepAlive::No);
}

}  // namespace pingora::h1
