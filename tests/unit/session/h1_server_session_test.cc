// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/session/h1_server_session.h"

#include <catch2/catch.hpp>

#include "wire.h"

using namespace pingora;
using namespace pingora::test;

TEST_CASE_METHOD(Workers, "H1 server: serves requests one after the other, at any read size",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  std::string input =
      "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
      "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
      "POST /d HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n"
      "1;x=y\r\na\r\n1\r\nb\r\n0\r\nX-Sum: 1\r\n\r\n"
      "GET /e HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
      "GET /f HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t size : kReadSizes) {
    CAPTURE(size);
    CHECK(*run(converse(input, echo, options, {.read_size_max = size})) ==
          "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n\r\n"
          "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 5\r\n\r\nhello"
          "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n\r\n"
          "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n"
          "1\r\na\r\n1\r\nb\r\n0\r\nX-Sum: 1\r\n\r\n"
          "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }
}

namespace {

// Answers with what the request's fields ask for: X-Status, X-Length, X-Body.
Task<> as_asked(H1ServerSession& session) {
  RequestHeader& request = session.req_header();
  auto asked = [&](std::string_view name) { return request.get_header(name).value_or(""); };
  std::string status(asked("X-Status"));
  ResponseHeader header = response(status.empty() ? 200 : std::stoi(status), asked("X-Length"));
  if (auto field = request.get_header("X-Connection")) {
    (void)header.insert_header(HeaderId::Connection, *field);
    (void)header.insert_header("X-Hop", "1");
    (void)header.insert_header(HeaderId::KeepAlive, "timeout=5");
  }
  std::string body(asked("X-Body"));
  co_await session.write_head(header, body.empty() ? EndOfStream::Yes : EndOfStream::No);
  if (!body.empty()) co_await session.write_body(Bytes::copy_of(body), EndOfStream::Yes);
}

}  // namespace

TEST_CASE_METHOD(Workers, "H1 server: frames a response by its status, its length and the request",
                 "[session][h1_server]") {
  struct Case {
    std::string_view request;
    std::string_view response;
  };
  const Case kCases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\nX-Length: 2\r\nX-Body: hi\r\n\r\n",
       "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\n\r\nhi"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX-Body: hi\r\n\r\n",
       "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
       "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n\r\n"},
      {"GET / HTTP/1.0\r\nX-Body: hi\r\n\r\n",
       "HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\n\r\nhi"},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\nX-Body: hi\r\n\r\n",
       "HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\n\r\nhi"},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\nX-Length: 2\r\nX-Body: hi\r\n\r\n",
       "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi"},
      {"GET / HTTP/1.0\r\nX-Length: 2\r\nX-Body: hi\r\n\r\n",
       "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Length: 2\r\nX-Body: hi\r\n\r\n",
       "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"},
      {"HEAD / HTTP/1.1\r\nHost: a\r\nX-Length: 2\r\nX-Body: hi\r\n\r\n",
       "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\n\r\n"},
      {"HEAD / HTTP/1.1\r\nHost: a\r\nX-Length: 2\r\n\r\n",
       "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\n\r\n"},
      {"HEAD / HTTP/1.1\r\nHost: a\r\nX-Body: hi\r\n\r\n", "HTTP/1.1 200 OK\r\nDate: now\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX-Status: 204\r\nX-Length: 0\r\n\r\n",
       "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX-Status: 304\r\nX-Length: 9\r\n\r\n",
       "HTTP/1.1 304 Not Modified\r\nDate: now\r\nContent-Length: 9\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX-Connection: close, X-Hop\r\n\r\n",
       "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n\r\n"},
  };
  ServerSessionOptions options;
  for (const Case& each : kCases) {
    CAPTURE(each.request);
    CHECK(*run(converse(std::string(each.request), as_asked, options)) == each.response);
  }
}

TEST_CASE_METHOD(Workers, "H1 server: hop-by-hop fields pass where an option keeps them",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  options.hop_by_hop = HopByHopPolicy::Keep;
  CHECK(*run(converse("GET / HTTP/1.1\r\nHost: a\r\nX-Connection: X-Hop\r\n\r\n", as_asked,
                      options)) ==
        "HTTP/1.1 200 OK\r\nDate: now\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE_METHOD(Workers, "H1 server: a body that is not what was announced is an error",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  auto run_with = [&](std::string_view body, EndOfStream end, std::string* error) {
    return *run(converse(
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
        [=](H1ServerSession& session) -> Task<> {
          co_await session.write_head(response(200, "3"), EndOfStream::No);
          auto written = co_await session.write_body(Bytes::copy_of(body), end).as_result();
          if (!written) *error += to_string(written.error().type());
          co_await std::move(written);
        },
        options));
  };
  std::string error;
  CHECK(run_with("abc", EndOfStream::Yes, &error).size() > 100);  // both were served
  CHECK(error.empty());
  CHECK_THAT(run_with("abcd", EndOfStream::Yes, &error), Catch::EndsWith("\r\n\r\n"));
  CHECK(error == "InternalError");
  error.clear();
  CHECK_THAT(run_with("ab", EndOfStream::Yes, &error), Catch::EndsWith("\r\n\r\n"));
  CHECK(error == "InternalError");
  error.clear();
  // Not complete: the connection is closed, and the client sees that the body is too short.
  CHECK_THAT(run_with("ab", EndOfStream::No, &error), Catch::EndsWith("\r\n\r\nab"));
  CHECK(error.empty());
}

TEST_CASE_METHOD(Workers, "H1 server: an unfinished response without framing ends with a reset",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  auto handler = [](H1ServerSession& session) -> Task<> {
    co_await session.write_head(response(200), EndOfStream::No);
    co_await session.write_body(Bytes::from_static("half"), EndOfStream::No);
    co_await session.flush();
  };
  CHECK_THAT(*run(converse("GET / HTTP/1.0\r\n\r\n", handler, options)),
             Catch::EndsWith("<reset>"));
  CHECK_THAT(*run(converse("GET / HTTP/1.1\r\nHost: a\r\n\r\n", handler, options)),
             Catch::EndsWith("\r\n\r\n4\r\nhalf\r\n"));
}

TEST_CASE_METHOD(Workers, "H1 server: informational responses go first, and not to HTTP/1.0",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  auto handler = [](H1ServerSession& session) -> Task<> {
    ResponseHeader hints = *ResponseHeader::build(103);
    (void)hints.insert_header("Link", "</a>");
    (void)hints.insert_header(HeaderId::Connection, "close");
    co_await session.write_informational(hints);
    co_await session.write_head(response(200, "0"), EndOfStream::Yes);
    auto late = co_await session.write_informational(hints).as_result();
    CHECK_FALSE(late.has_value());
  };
  CHECK(*run(converse("GET / HTTP/1.1\r\nHost: a\r\n\r\n", handler, options)) ==
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n\r\n");
  CHECK(*run(converse("GET / HTTP/1.0\r\n\r\n", handler, options)) ==
        "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST_CASE_METHOD(Workers, "H1 server: Date is added where it is missing", "[session][h1_server]") {
  ServerSessionOptions options;
  auto handler = [](H1ServerSession& session) -> Task<> {
    co_await session.write_head(ResponseHeader(404), EndOfStream::Yes);
  };
  std::string output = *run(converse("GET / HTTP/1.1\r\nHost: a\r\n\r\n", handler, options));
  CHECK_THAT(output, Catch::StartsWith("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nDate: "));
  CHECK_THAT(output, Catch::EndsWith(" GMT\r\n\r\n"));
}

TEST_CASE_METHOD(Workers, "H1 server: trailers go to clients that want them and can tell",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  auto handler = [](H1ServerSession& session) -> Task<> {
    HeaderMap trailers;
    (void)trailers.insert("X-Sum", "1");
    co_await session.write_head(response(200), EndOfStream::No);
    co_await session.write_body(Bytes::from_static("a"), EndOfStream::No);
    co_await session.write_trailers(trailers);
  };
  CHECK_THAT(*run(converse("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n", handler, options)),
             Catch::EndsWith("\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n"));
  CHECK_THAT(*run(converse("GET / HTTP/1.1\r\nHost: a\r\n\r\n", handler, options)),
             Catch::EndsWith("\r\n\r\n1\r\na\r\n0\r\n\r\n"));
  CHECK_THAT(*run(converse("GET / HTTP/1.0\r\nTE: trailers\r\n\r\n", handler, options)),
             Catch::EndsWith("\r\n\r\na"));
}

TEST_CASE_METHOD(Workers, "H1 server: large bodies arrive whole, however little is taken at once",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  std::string body(300'000, 'x');
  for (std::size_t i = 0; i < body.size(); i += 7) body[i] = static_cast<char>('a' + i % 26);
  auto handler = [&](H1ServerSession& session) -> Task<> {
    co_await session.write_head(response(200), EndOfStream::No);
    Bytes all = Bytes::copy_of(body);
    while (!all.empty()) co_await session.write_body(all.split_to(100'000), EndOfStream::No);
    co_await session.write_body({}, EndOfStream::Yes);
  };
  for (bool is_chunked : {false, true}) {
    for (std::size_t write_size : {std::size_t{777}, std::size_t{100'003}}) {
      std::string version = is_chunked ? "1.1" : "1.0";
      std::string output = *run(converse(
          "GET / HTTP/" + version + "\r\nHost: a\r\n\r\n", handler, options,
          {.write_size_max = write_size, .always_waits = true, .capacity = std::size_t{1} << 24}));
      std::string received = output.substr(output.find("\r\n\r\n") + 4);
      if (is_chunked) {
        std::string expected;
        for (std::size_t i = 0; i < body.size(); i += 100'000) {
          expected += "186a0\r\n" + body.substr(i, 100'000) + "\r\n";
        }
        CHECK((received == expected + "0\r\n\r\n"));
      } else {
        CHECK((received == body));
      }
    }
  }
}
