// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// What RFC 9113 §8 calls malformed: a stream error of type PROTOCOL_ERROR, on requests nothing that
// could go to an upstream, and the connection goes on. Each at once, and cut after every byte.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pingora/h2/engine.h"
#include "pingora/http/field_syntax.h"
#include "unit/h2/engine_pair.h"
#include "unit/h2/frame_builder.h"

namespace pingora::h2 {
namespace {

using namespace testing;
using Kind = Event::Kind;

struct Malformed {
  const char* what;
  std::string frames;  // on stream 1
};

Fields without(std::string_view name) {
  Fields fields;
  for (auto& field : request()) {
    if (field.first != name) fields.push_back(field);
  }
  return fields;
}

Malformed with(const char* what, std::string name, std::string value) {
  return {what, headers(1, request({{std::move(name), std::move(value)}}))};
}

Malformed instead(const char* what, std::string name, std::string value) {
  Fields fields = request();
  for (auto& field : fields) {
    if (field.first == name) field.second = value;
  }
  return {what, headers(1, fields)};
}

Malformed with_body(const char* what, const char* length, std::string frames) {
  return {what, headers(1, request({{"content-length", length}}, "/", "POST"), 0) + frames};
}

std::vector<Malformed> malformed_heads() {
  return {
      with("a name in upper case", "X-Own", "1"),
      with("a known name in upper case", "Accept", "1"),
      with("an empty name", "", "1"),
      with("a blank in a name", "x own", "1"),
      with("a colon in a name", "x:own", "1"),
      with("CR in a name", "x\rown", "1"),
      with("NUL in a name", std::string("x\0own", 5), "1"),
      with("0x85 in a name", "x\x85own", "1"),
      with("CR LF in a value", "x-own", "a\r\nb: c"),
      with("CR in a value", "x-own", "a\rb"),
      with("LF in a value", "x-own", "a\nb"),
      with("NUL in a value", "x-own", std::string("a\0b", 3)),
      with("another control byte in a value", "x-own", "a\x01"),
      with("a blank before a value", "x-own", " a"),
      with("a tab behind a value", "x-own", "a\t"),
      with("a value of one blank", "x-own", " "),
      {"a pseudo-header field behind a field", headers(1, {{":method", "GET"},
                                                           {":scheme", "http"},
                                                           {"x-own", "1"},
                                                           {":path", "/"},
                                                           {":authority", "example.com"}})},
      with("a repeated :path", ":path", "/other"),
      with("a repeated :method", ":method", "GET"),
      with("a repeated :scheme", ":scheme", "http"),
      with("a repeated :authority", ":authority", "example.com"),
      with("an unknown pseudo-header field", ":own", "1"),
      with("a response's pseudo-header field", ":status", "200"),
      with(":protocol that was not announced", ":protocol", "websocket"),
      {"no :method", headers(1, without(":method"))},
      {"no :scheme", headers(1, without(":scheme"))},
      {"no :path", headers(1, without(":path"))},
      {"neither :authority nor Host", headers(1, without(":authority"))},
      instead("an empty :path", ":path", ""),
      instead("a blank in :path", ":path", "/a b"),
      instead("a fragment in :path", ":path", "/a#b"),
      instead("CR LF in :path", ":path", "/ HTTP/1.1\r\nx: y"),
      instead("a :path that does not begin with a slash", ":path", "a"),
      instead("an absolute :path", ":path", "http://other/"),
      instead("an asterisk that is not for OPTIONS", ":path", "*"),
      instead("a blank in :method", ":method", "GET /"),
      instead("an empty :method", ":method", ""),
      instead("a CONNECT with a path", ":method", "CONNECT"),
      instead("an unknown :scheme", ":scheme", "ftp"),
      instead("a :scheme with a target", ":scheme", "http://other/?"),
      instead("an empty :authority", ":authority", ""),
      instead("user information in :authority", ":authority", "user@example.com"),
      instead("a path in :authority", ":authority", "example.com/a"),
      with("a Host that differs", "host", "other.com"),
      {"a repeated Host", headers(1,
                                  [] {
                                    Fields fields = without(":authority");
                                    fields.push_back({"host", "example.com"});
                                    fields.push_back({"host", "example.com"});
                                    return fields;
                                  }())},
      with("Connection", "connection", "close"),
      with("Keep-Alive", "keep-alive", "timeout=1"),
      with("Proxy-Connection", "proxy-connection", "close"),
      with("Transfer-Encoding", "transfer-encoding", "chunked"),
      with("Upgrade", "upgrade", "websocket"),
      with("a TE other than trailers", "te", "gzip"),
      with("a TE with more than trailers", "te", "trailers, gzip"),
      with("a Content-Length without a body", "content-length", "1"),
      with("a Content-Length that is no number", "content-length", "1x"),
      with("a signed Content-Length", "content-length", "+1"),
      with("an empty Content-Length", "content-length", ""),
      with("a Content-Length beyond 64 bits", "content-length", "18446744073709551616"),
      {"a repeated Content-Length",
       headers(1, request({{"content-length", "0"}, {"content-length", "0"}}))},
  };
}

std::vector<Malformed> malformed_bodies() {
  return {
      with_body("more DATA than Content-Length", "3", data(1, "four", kEndStream)),
      with_body("more DATA in a later frame", "3", data(1, "thr") + data(1, "e", kEndStream)),
      with_body("less DATA than Content-Length", "5", data(1, "four", kEndStream)),
      with_body("an empty end before Content-Length", "5",
                data(1, "four") + data(1, "", kEndStream)),
      with_body("trailers before Content-Length", "5",
                data(1, "four") + headers(1, {{"x-sum", "1"}})),
      with_body("a pseudo-header field in trailers", "4",
                data(1, "four") + headers(1, {{":path", "/"}})),
      with_body("an upper-case name in trailers", "4",
                data(1, "four") + headers(1, {{"X-Sum", "1"}})),
      with_body("a connection field in trailers", "4",
                data(1, "four") + headers(1, {{"connection", "close"}})),
      with_body("trailers that do not end the stream", "4",
                data(1, "four") + headers(1, {{"x-sum", "1"}}, 0)),
  };
}

// Feeds a good request behind it: the connection goes on.
void check_connection_lives(Engine& engine) {
  REQUIRE(feed(engine, headers(3, request())));
  auto events = stream_events_of(engine);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == Kind::RequestHead);
  CHECK(events[0].stream_id == 3);
}

void check_reset(Engine& engine) {
  auto frames = parse_frames(take_all(engine));
  const ParsedFrame* reset = find_frame(frames, FrameType::RstStream);
  REQUIRE(reset != nullptr);
  CHECK(reset->stream == 1);
  CHECK(reset->code() == 1);
  CHECK(find_frame(frames, FrameType::Goaway) == nullptr);
}

}  // namespace

TEST_CASE("H2 engine: a malformed request head is a stream error and no request", "[h2]") {
  for (const Malformed& each : malformed_heads()) {
    for (std::size_t piece : {0, 1}) {
      INFO(each.what << ", pieces of " << piece);
      EngineOptions options;
      Engine engine(Role::Server, options, kStart);
      REQUIRE(feed(engine, client_start()));
      REQUIRE(feed(engine, each.frames, piece));
      auto events = stream_events_of(engine);
      REQUIRE(events.size() == 1);
      CHECK(events[0].kind == Kind::Refused);
      CHECK(events[0].code == ErrorCode::ProtocolError);
      CHECK_FALSE(events[0].reason.empty());
      REQUIRE(events[0].request != nullptr);
      CHECK(is_token(events[0].request->method().text()));
      CHECK(events[0].request->raw_target().starts_with('/'));
      check_reset(engine);
      CHECK(engine.streams() == 0);
      CHECK(engine.counters().malformed_messages == 1);
      CHECK(engine.counters().provoked_resets == 1);
      check_connection_lives(engine);
    }
  }
}

TEST_CASE("H2 engine: each host is looked at, whichever the one before was", "[h2]") {
  std::string longest(46, 'a');
  std::string longer(47, 'a');
  struct Host {
    std::string name;
    bool is_good;
  };
  const std::vector<Host> hosts = {
      {"example.com", true},   {"example.com", true},   {"example.co", true},
      {"u@example.co", false}, {"u@example.co", false}, {"", false},
      {"example.co", true},    {longest, true},         {longest, true},
      {longest + "/", false},  {longer, true},          {longer, true},
      {longer + "/", false},   {"example.com/", false}, {"example.com", true},
  };
  EngineOptions options;
  Engine engine(Role::Server, options, kStart);
  REQUIRE(feed(engine, client_start()));
  std::uint32_t id = 1;
  for (const Host& host : hosts) {
    INFO(id << ": '" << host.name << "'");
    Fields fields = request();
    for (auto& field : fields) {
      if (field.first == ":authority") field.second = host.name;
    }
    REQUIRE(feed(engine, headers(id, fields)));
    auto events = stream_events_of(engine);
    REQUIRE(events.size() == 1);
    CHECK(events[0].kind == (host.is_good ? Kind::RequestHead : Kind::Refused));
    if (host.is_good) {
      CHECK(events[0].request->get_header(HeaderId::Host) == host.name);
      engine.release(*events[0].stream);
    }
    id += 2;
  }
}

TEST_CASE("H2 engine: a malformed body or trailer section ends its stream", "[h2]") {
  for (const Malformed& each : malformed_bodies()) {
    for (std::size_t piece : {0, 1}) {
      INFO(each.what << ", pieces of " << piece);
      EngineOptions options;
      Engine engine(Role::Server, options, kStart);
      REQUIRE(feed(engine, client_start()));
      REQUIRE(feed(engine, each.frames, piece));
      auto events = stream_events_of(engine);
      REQUIRE(events.size() >= 2);
      CHECK(events.front().kind == Kind::RequestHead);
      CHECK(events.back().kind == Kind::Reset);
      CHECK(events.back().origin == Event::Origin::Engine);
      CHECK(events.back().code == ErrorCode::ProtocolError);
      // Nothing said before that the message was whole.
      for (const Event& event : events) CHECK(event.end == EndOfStream::No);
      check_reset(engine);
      CHECK(engine.counters().malformed_messages == 1);
      engine.release(*events.front().stream);
      CHECK(engine.streams() == 0);
      CHECK(engine.unconsumed() == 0);
      check_connection_lives(engine);
    }
  }
}

TEST_CASE("H2 engine: malformed responses end their stream", "[h2]") {
  struct Case {
    const char* what;
    std::string frames;
  };
  const std::vector<Case> cases = {
      {"no :status", headers(1, {{"x-own", "1"}})},
      {"a :status of two digits", headers(1, {{":status", "20"}})},
      {"a :status of four digits", headers(1, {{":status", "2000"}})},
      {"a :status that is no number", headers(1, {{":status", "2x0"}})},
      {"a :status below 100", headers(1, {{":status", "099"}})},
      {"101", headers(1, {{":status", "101"}}, 0)},
      {"a repeated :status", headers(1, {{":status", "200"}, {":status", "200"}})},
      {"a request's pseudo-header field", headers(1, {{":status", "200"}, {":path", "/"}})},
      {"a 1xx that ends the stream", headers(1, {{":status", "103"}})},
      {"Connection", headers(1, {{":status", "200"}, {"connection", "close"}})},
      {"LF in a value", headers(1, {{":status", "200"}, {"x-own", "a\nb"}})},
      {"an upper-case name", headers(1, {{":status", "200"}, {"X-Own", "1"}})},
      {"a Content-Length without a body",
       headers(1, {{":status", "200"}, {"content-length", "5"}})},
      {"more DATA than Content-Length",
       headers(1, {{":status", "200"}, {"content-length", "1"}}, 0) + data(1, "ab", kEndStream)},
      {"less DATA than Content-Length",
       headers(1, {{":status", "200"}, {"content-length", "3"}}, 0) + data(1, "ab", kEndStream)},
      {"DATA before a head", data(1, "early")},
      {"DATA behind 204", headers(1, {{":status", "204"}}, 0) + data(1, "a", kEndStream)},
  };
  for (const Case& each : cases) {
    for (std::size_t piece : {0, 1}) {
      INFO(each.what << ", pieces of " << piece);
      EngineOptions options;
      Engine engine(Role::Client, options, kStart);
      auto stream = engine.submit_request(get("/"), {}, EndOfStream::Yes);
      REQUIRE(stream.has_value());
      take_all(engine);
      REQUIRE(feed(engine, settings() + each.frames, piece));
      auto events = stream_events_of(engine);
      REQUIRE_FALSE(events.empty());
      CHECK(events.back().kind == Kind::Reset);
      CHECK(events.back().code == ErrorCode::ProtocolError);
      check_reset(engine);
      engine.release(**stream);
      CHECK(engine.streams() == 0);
      CHECK(engine.submit_request(get("/"), {}, EndOfStream::Yes).has_value());
    }
  }
}

TEST_CASE("H2 engine: well-formed heads that look odd are accepted", "[h2]") {
  struct Case {
    const char* what;
    Fields fields;
    std::vector<std::string> lines;
  };
  const std::vector<Case> cases = {
      {"a Host that agrees, in another case",
       request({{"host", "EXAMPLE.com"}}),
       {"Host: example.com"}},
      {"te: trailers", request({{"te", "trailers"}}), {"Host: example.com", "TE: trailers"}},
      {"a value from 0x80 up", request({{"x-own", "\xe4"}}), {"Host: example.com", "x-own: \xe4"}},
      {"an empty value", request({{"x-own", ""}}), {"Host: example.com", "x-own: "}},
      {"cookie crumbs",
       request({{"cookie", "a=1"}, {"accept", "*/*"}, {"cookie", "b=2"}}),
       {"Host: example.com", "Accept: */*", "Cookie: a=1; b=2"}},
      {"Content-Length 0",
       request({{"content-length", "0"}}),
       {"Host: example.com", "Content-Length: 0"}},
      {"Host alone",
       {{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {"host", "a:1"}},
       {"Host: a:1"}},
      {"OPTIONS *", request({}, "*", "OPTIONS"), {"Host: example.com"}},
      {"a method of its own", request({}, "/", "BREW"), {"Host: example.com"}},
      {"CONNECT", {{":method", "CONNECT"}, {":authority", "a:443"}}, {"Host: a:443"}},
  };
  for (const Case& each : cases) {
    INFO(each.what);
    EngineOptions options;
    Engine engine(Role::Server, options, kStart);
    REQUIRE(feed(engine, client_start() + headers(1, each.fields)));
    auto events = stream_events_of(engine);
    REQUIRE(events.size() == 1);
    REQUIRE(events[0].kind == Kind::RequestHead);
    CHECK(lines_of(events[0].request->headers()) == each.lines);
    CHECK(events[0].request->method().text() == each.fields[0].second);
  }
}

}  // namespace pingora::h2
