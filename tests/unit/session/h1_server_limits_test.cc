// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Each deadline and limit of a server session: below, at and above it, and what counts it.
#include <catch2/catch.hpp>

#include "pingora/metrics/registry.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/timer.h"
#include "wire.h"

using namespace pingora;
using namespace pingora::test;
using namespace std::chrono_literals;

namespace {

std::uint64_t struck(std::string limit) {
  return Registry::global()
      .counter("pingora_session_limits_total", "", {{"side", "downstream"}, {"limit", limit}})
      .value();
}

Task<> answer(H1ServerSession& session) {
  (void)co_await read_whole_body(session);
  co_await session.write_head(response(200, "0"), EndOfStream::Yes);
}

// Sends `input` and nothing more, without an end; returns what is answered.
Task<std::string> stall(std::string input, const ServerSessionOptions& options,
                        Handler handler = answer) {
  auto [near, far] = MemoryStream::make_pair();
  co_await put(*far, input);
  {
    H1ServerSession session(std::move(near), options);
    co_await serve(session, handler);
  }
  co_return co_await read_all(*far);
}

ServerSessionOptions patient() {
  ServerSessionOptions options;
  options.drain_timeout = 1ms;
  return options;
}

}  // namespace

TEST_CASE_METHOD(Workers, "H1 server: a connection without a request is closed in silence",
                 "[session][h1_server]") {
  ServerSessionOptions options = patient();
  options.first_request_timeout = 5ms;
  std::uint64_t before = struck("first_request_timeout");
  CHECK(run(stall("", options))->empty());
  CHECK(struck("first_request_timeout") == before + 1);
}

TEST_CASE_METHOD(Workers, "H1 server: an idle connection is closed in silence",
                 "[session][h1_server]") {
  ServerSessionOptions options = patient();
  options.keepalive_timeout = 5ms;
  std::uint64_t before = struck("keepalive_timeout");
  CHECK_THAT(*run(stall("GET / HTTP/1.1\r\nHost: a\r\n\r\n", options)),
             Catch::EndsWith("Content-Length: 0\r\n\r\n"));
  CHECK(struck("keepalive_timeout") == before + 1);
}

TEST_CASE_METHOD(Workers, "H1 server: a head that does not come whole in time gets 408",
                 "[session][h1_server]") {
  ServerSessionOptions options = patient();
  options.head_timeout = 5ms;
  std::uint64_t before = struck("head_timeout");
  CHECK_THAT(*run(stall("GET / HT", options)), Catch::StartsWith("HTTP/1.1 408 "));
  // Behind a request that was served, too.
  CHECK_THAT(*run(stall("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT", options)),
             Catch::Contains("\r\n\r\nHTTP/1.1 408 "));
  CHECK(struck("head_timeout") == before + 2);
}

TEST_CASE_METHOD(Workers, "H1 server: the deadline of a head is not lengthened by its bytes",
                 "[session][h1_server]") {
  ServerSessionOptions options = patient();
  options.head_timeout = 20ms;
  auto dribble = [&]() -> Task<std::string> {
    auto [near, far] = MemoryStream::make_pair({.always_waits = true});
    H1ServerSession session(std::move(near), options);
    auto send = [&]() -> Task<> {
      co_await put(*far, "GET / HTTP/1.1\r\nX: ");
      for (;;) {
        co_await sleep_for(1ms);
        co_await put(*far, "x");
      }
    };
    co_await when_any(serve(session, answer), send());
    co_return co_await read_until(*far, "\r\n\r\n");
  };
  CHECK_THAT(*run(dribble()), Catch::StartsWith("HTTP/1.1 408 "));
}

TEST_CASE_METHOD(Workers, "H1 server: a body that stalls, or is too slow, is given up",
                 "[session][h1_server]") {
  std::string input = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab";
  auto handler = [](H1ServerSession& session) -> Task<> {
    std::string body;
    Result<Bytes> piece = Bytes();
    do {
      piece = co_await session.read_body().as_result();
    } while (piece && !piece->empty());
    CHECK(piece.error().type() == ErrorType::ReadTimedout);
    CHECK(piece.error().source() == ErrorSource::Downstream);
    co_await session.write_head(response(piece.error().status(), "0"), EndOfStream::Yes);
  };
  ServerSessionOptions options = patient();
  options.body_read_timeout = 5ms;
  std::uint64_t before = struck("body_timeout");
  CHECK_THAT(*run(stall(input, options, handler)), Catch::StartsWith("HTTP/1.1 408 "));
  CHECK(struck("body_timeout") == before + 1);

  options = patient();
  options.body_rate_grace = 15ms;
  before = struck("body_rate");
  CHECK_THAT(*run(stall(input, options, handler)), Catch::StartsWith("HTTP/1.1 408 "));
  CHECK(struck("body_rate") == before + 1);
}

TEST_CASE_METHOD(Workers, "H1 server: bodies up to body_bytes_max pass, others get 413",
                 "[session][h1_server]") {
  ServerSessionOptions options = patient();
  options.body_bytes_max = 10;
  auto handler = [](H1ServerSession& session) -> Task<> {
    Result<Bytes> piece = Bytes();
    do {
      piece = co_await session.read_body().as_result();
    } while (piece && !piece->empty());
    co_await session.write_head(response(piece ? 200 : piece.error().status(), "0"),
                                EndOfStream::Yes);
  };
  std::uint64_t before = struck("body_bytes");
  for (std::size_t size : {9, 10, 11}) {
    for (std::size_t read_size : kReadSizes) {
      CAPTURE(size, read_size);
      std::string status = size <= 10 ? "HTTP/1.1 200 " : "HTTP/1.1 413 ";
      std::string body(size, 'x');
      CHECK_THAT(*run(converse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                                   std::to_string(size) + "\r\n\r\n" + body,
                               handler, options, {.read_size_max = read_size})),
                 Catch::StartsWith(status));
      std::string digit(1, "0123456789ab"[size]);
      CHECK_THAT(*run(converse("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
                                   digit + "\r\n" + body + "\r\n0\r\n\r\n",
                               handler, options, {.read_size_max = read_size})),
                 Catch::StartsWith(status));
    }
  }
  CHECK(struck("body_bytes") == before + 2 * std::size(kReadSizes));
}

TEST_CASE_METHOD(Workers, "H1 server: a client that does not read is given up",
                 "[session][h1_server]") {
  ServerSessionOptions options = patient();
  options.write_timeout = 5ms;
  std::uint64_t before = struck("write_timeout");
  auto talk = [&]() -> Task<> {
    auto [near, far] = MemoryStream::make_pair({.capacity = 100});
    co_await put(*far, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    H1ServerSession session(std::move(near), options);
    CHECK(co_await session.read_request());
    co_await session.write_head(response(200, "1000"), EndOfStream::No);
    auto written =
        co_await session.write_body(Bytes::copy_of(std::string(1000, 'x')), EndOfStream::Yes)
            .as_result();
    CHECK(written.error().type() == ErrorType::WriteTimedout);
    CHECK(written.error().source() == ErrorSource::Downstream);
    CHECK_FALSE(co_await session.finish());
    CHECK_FALSE(co_await session.read_request());
  };
  run(talk()).value();
  CHECK(struck("write_timeout") == before + 1);
}

TEST_CASE_METHOD(Workers, "H1 server: the limits of heads are counted", "[session][h1_server]") {
  ServerSessionOptions options = patient();
  options.parser.start_line_bytes_max = 20;
  options.parser.head_bytes_max = 60;
  std::uint64_t lines = struck("start_line");
  std::uint64_t heads = struck("head");
  auto get = [](std::string target, std::size_t field_size) {
    return "GET " + target + " HTTP/1.1\r\nHost: a\r\nX: " + std::string(field_size, 'x') +
           "\r\n\r\n";
  };
  CHECK_THAT(*run(converse(get("/345678", 20), answer, options)),
             Catch::StartsWith("HTTP/1.1 200 "));
  CHECK_THAT(*run(converse(get("/3456789", 1), answer, options)),
             Catch::StartsWith("HTTP/1.1 414 "));
  CHECK_THAT(*run(converse(get("/345678", 30), answer, options)),
             Catch::StartsWith("HTTP/1.1 431 "));
  CHECK(struck("start_line") == lines + 1);
  CHECK(struck("head") == heads + 1);
}

TEST_CASE_METHOD(Workers, "H1 server: a client that waits for 100 is not too slow",
                 "[session][h1_server]") {
  ServerSessionOptions options = patient();
  options.body_rate_grace = 1ms;
  options.body_read_timeout = 20ms;
  std::uint64_t before = struck("body_timeout");
  auto handler = [](H1ServerSession& session) -> Task<> {
    CHECK((co_await read_whole_body(session)) == "<ReadTimedout>");
    co_await session.write_head(response(408, "0"), EndOfStream::Yes);
  };
  CHECK_THAT(*run(stall("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                        "Content-Length: 5\r\n\r\n",
                        options, handler)),
             Catch::StartsWith("HTTP/1.1 408 "));
  CHECK(struck("body_timeout") == before + 1);
}

TEST_CASE_METHOD(Workers, "H1 server: deadlines can be set for one connection",
                 "[session][h1_server]") {
  ServerSessionOptions options = patient();
  auto keepalive = [](H1ServerSession& session) -> Task<> {
    session.set_keepalive_timeout(5ms);
    co_await answer(session);
  };
  CHECK_THAT(*run(stall("GET / HTTP/1.1\r\nHost: a\r\n\r\n", options, keepalive)),
             Catch::EndsWith("Content-Length: 0\r\n\r\n"));
  auto body = [](H1ServerSession& session) -> Task<> {
    session.set_read_timeout(5ms);
    CHECK((co_await read_whole_body(session)) == "ab<ReadTimedout>");
    CHECK(session.body_bytes_read() == 2);
  };
  CHECK(run(stall("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab", options, body))
            ->empty());
}

TEST_CASE_METHOD(Workers, "H1 server: a tunnel that is idle for too long ends",
                 "[session][h1_server]") {
  ServerSessionOptions options = patient();
  options.tunnel_idle_timeout = 5ms;
  std::uint64_t before = struck("tunnel_timeout");
  auto handler = [](H1ServerSession& session) -> Task<> {
    co_await session.write_head(response(200), EndOfStream::No);
    session.start_tunnel();
    CHECK((co_await read_whole_body(session)) == "hi<ReadTimedout>");
  };
  CHECK_THAT(*run(stall("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nhi", options, handler)),
             Catch::StartsWith("HTTP/1.1 200 "));
  CHECK(struck("tunnel_timeout") == before + 1);
  auto watcher = [](H1ServerSession& session) -> Task<> {
    co_await session.write_head(response(200), EndOfStream::No);
    session.start_tunnel();
    auto idle = co_await session.wait_until_tunnel_idle().as_result();
    CHECK(idle.error().type() == ErrorType::ReadTimedout);
  };
  run(stall("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", options, watcher)).value();
  CHECK(struck("tunnel_timeout") == before + 2);
}

TEST_CASE_METHOD(Workers, "H1 server: a tunnel with bytes in one direction is not idle",
                 "[session][h1_server]") {
  ServerSessionOptions options = patient();
  options.tunnel_idle_timeout = 200ms;
  std::uint64_t before = struck("tunnel_timeout");
  auto talk = [](H1ServerSession& session) -> Task<> {
    for (int i = 0; i < 30; ++i) {
      co_await session.write_body(Bytes::from_static("x"), EndOfStream::No);
      co_await sleep_for(10ms);
    }
  };
  auto handler = [&talk](H1ServerSession& session) -> Task<> {
    co_await session.write_head(response(200), EndOfStream::No);
    session.start_tunnel();
    auto first = co_await when_any(
        session.wait_until_tunnel_idle(), talk(session),
        [](H1ServerSession& reader) -> Task<> { (void)co_await reader.read_body(); }(session));
    CHECK(first.index() == 1);
  };
  CHECK_THAT(*run(stall("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", options, handler)),
             Catch::EndsWith(std::string(30, 'x')));
  CHECK(struck("tunnel_timeout") == before);
}

TEST_CASE_METHOD(Workers, "H1 server: a tunnel may be idle for ever", "[session][h1_server]") {
  ServerSessionOptions options = patient();
  options.tunnel_idle_timeout = 0ms;
  auto handler = [](H1ServerSession& session) -> Task<> {
    co_await session.write_head(response(200), EndOfStream::No);
    session.start_tunnel();
    auto first = co_await when_any(session.wait_until_tunnel_idle(),
                                   []() -> Task<> { co_await sleep_for(10ms); }());
    CHECK(first.index() == 1);
  };
  run(stall("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", options, handler)).value();
}
