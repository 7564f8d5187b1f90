// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// What becomes of the connection behind a response.
#include <catch2/catch.hpp>

#include "pingora/net/stream_layer.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/timer.h"
#include "wire.h"

using namespace pingora;
using namespace pingora::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

Task<> answer(H1ServerSession& session) {
  co_await session.write_head(response(200, "0"), EndOfStream::Yes);
}

/// Notes what is done about writing: a write, the (l)ast one, a (p)ush, the (e)nd.
class NotingWrites final : public StreamLayer {
 public:
  NotingWrites(std::unique_ptr<Stream> inner, std::string& done)
      : StreamLayer(std::move(inner)), done_(done) {}
  std::optional<Result<std::size_t>> try_write(std::span<const iovec> pieces) override {
    done_ += 'w';
    return inner().try_write(pieces);
  }
  std::optional<Result<std::size_t>> try_write_last(std::span<const iovec> pieces) override {
    done_ += 'l';
    return inner().try_write(pieces);
  }
  void push() noexcept override { done_ += 'p'; }
  void shutdown_write() noexcept override {
    done_ += 'e';
    inner().shutdown_write();
  }

 protected:
  ReadAttempt attempt_read(Buffer& into) override {
    if (!inner_may_read()) note_inner_readable();
    auto result = inner().try_read(into);
    return {std::move(result), inner_may_read()};
  }

 private:
  std::string& done_;
};

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

std::size_t responses_in(std::string_view output) { return count_of(output, "HTTP/1.1 200"); }

}  // namespace

TEST_CASE_METHOD(Workers, "H1 server: a connection serves as many requests as it may",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  options.requests_per_connection_max = 3;
  for (std::size_t requests : {2, 3, 4}) {
    std::string input;
    for (std::size_t i = 0; i < requests; ++i) input += kGet;
    std::string output = *run(converse(input, answer, options));
    CHECK(responses_in(output) == std::min<std::size_t>(requests, 3));
    CHECK(count_of(output, "Connection: close") == (requests >= 3 ? 1 : 0));
  }
}

TEST_CASE_METHOD(Workers, "H1 server: disable_keepalive closes behind the response",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  auto handler = [](H1ServerSession& session) -> Task<> {
    CHECK(session.is_keepalive_enabled());
    session.disable_keepalive();
    co_await answer(session);
  };
  std::string output = *run(converse(std::string(kGet) + kGet, handler, options));
  CHECK(responses_in(output) == 1);
  CHECK_THAT(output, Catch::Contains("Connection: close"));
}

TEST_CASE_METHOD(Workers, "H1 server: the stream is told of the last write of a connection",
                 "[session][h1_server]") {
  auto is_last = GENERATE(false, true);
  auto has_body = GENERATE(false, true);
  auto is_flushed = GENERATE(false, true);
  auto handler = [&](H1ServerSession& session) -> Task<> {
    if (is_last) session.disable_keepalive();
    if (!has_body) co_return co_await answer(session);
    co_await session.write_head(response(200, "4"), EndOfStream::No);
    co_await session.write_body(Bytes::copy_of("ab"), EndOfStream::No);
    co_await session.write_body(Bytes::copy_of("cd"), EndOfStream::Yes);
  };
  auto [near, far] = MemoryStream::make_pair();
  std::string done;
  ServerSessionOptions options;
  H1ServerSession session(std::make_unique<NotingWrites>(std::move(far), done), options);
  auto talk = [&](Stream& client, H1ServerSession& session, Handler handler) -> Task<> {
    co_await put(client, kGet);
    bool is_there = co_await session.read_request();
    REQUIRE(is_there);
    co_await handler(session);
    if (is_flushed) co_await session.flush();
    co_await session.finish();
  };
  auto talked = run(talk(*near, session, handler));
  if (!talked) FAIL(talked.error().to_string());
  CHECK(done == std::string(is_last ? "l" : "w") + (is_flushed ? "p" : "") + (is_last ? "e" : ""));
}

TEST_CASE_METHOD(Workers, "H1 server: a body that was not read is drained, within bounds",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  options.drain_bytes_max = 100;
  struct Case {
    std::string body;
    std::size_t responses;
    bool says_close;
  };
  auto sized = [](std::size_t size) {
    return "Content-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x');
  };
  auto chunked = [](std::size_t size) {
    return "Transfer-Encoding: chunked\r\n\r\n" + std::string(size >= 100 ? "63\r\n" : "1\r\n") +
           std::string(size >= 100 ? 99 : 1, 'x') + "\r\n" + (size > 99 ? "1\r\nx\r\n" : "") +
           (size > 100 ? "1\r\nx\r\n" : "") + "0\r\n\r\n";
  };
  const Case kCases[] = {
      {sized(99), 2, false},
      {sized(100), 2, false},
      {sized(101), 1, true},
      {chunked(1), 2, false},
      {chunked(100), 2, false},
      // More of it than the bound is not read before the response is written: closed all the same.
      {"Transfer-Encoding: chunked\r\n\r\nXX\r\n", 1, false},
  };
  for (const Case& each : kCases) {
    for (std::size_t size : kReadSizes) {
      CAPTURE(each.body.substr(0, 40), size);
      std::string output = *run(converse("POST / HTTP/1.1\r\nHost: a\r\n" + each.body + kGet,
                                         answer, options, {.read_size_max = size}));
      CHECK(responses_in(output) == each.responses);
      CHECK(count_of(output, "Connection: close") == (each.says_close ? 1 : 0));
    }
  }
}

TEST_CASE_METHOD(Workers, "H1 server: draining ends with its deadline", "[session][h1_server]") {
  ServerSessionOptions options;
  options.drain_timeout = 5ms;
  auto talk = [&]() -> Task<std::string> {
    auto [near, far] = MemoryStream::make_pair();
    co_await put(*far, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc");
    {
      H1ServerSession session(std::move(near), options);
      co_await serve(session, answer);
    }
    co_return co_await read_all(*far);
  };
  CHECK(responses_in(*run(talk())) == 1);
}

TEST_CASE_METHOD(Workers, "H1 server: what may come behind Expect: 100-continue is not guessed",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  std::string head =
      "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  auto talk = [&](bool continues) -> Task<std::string> {
    auto [near, far] = MemoryStream::make_pair();
    co_await put(*far, head);
    H1ServerSession session(std::move(near), options);
    CHECK(co_await session.read_request());
    if (continues) {
      co_await session.write_informational(*ResponseHeader::build(100));
      CHECK((co_await read_until(*far, "\r\n\r\n")) == "HTTP/1.1 100 Continue\r\n\r\n");
      co_await put(*far, "hi");
      CHECK((co_await read_whole_body(session)) == "hi");
    }
    co_await answer(session);
    if (!continues) far->shutdown_write();
    CHECK(co_await session.finish() == continues);
    co_return co_await read_until(*far, "\r\n\r\n");
  };
  CHECK_THAT(*run(talk(true)), !Catch::Contains("Connection"));
  CHECK_THAT(*run(talk(false)), Catch::Contains("Connection: close"));
}

TEST_CASE_METHOD(Workers, "H1 server: a client that is cut off reads the response first",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  auto talk = [&]() -> Task<> {
    auto [near, far] = MemoryStream::make_pair();
    co_await put(*far, "GET  / HTTP/1.1\r\n");
    H1ServerSession session(std::move(near), options);
    Task<> serving = serve(session, answer);
    auto client = [&]() -> Task<> {
      std::string output = co_await read_all(*far);  // the end comes before the session is gone
      CHECK_THAT(output, Catch::StartsWith("HTTP/1.1 400 "));
      co_await put(*far, "more that nobody reads");
      far.reset();
    };
    co_await when_all(std::move(serving), client());
  };
  run(talk()).value();
}

TEST_CASE_METHOD(Workers,
                 "H1 server: shutting down ends idle sessions, and others behind the "
                 "response",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  auto idle = [&](std::string input) -> Task<std::string> {
    auto [near, far] = MemoryStream::make_pair();
    H1ServerSession session(std::move(near), options);
    co_await put(*far, input);
    auto shut_down = [&]() -> Task<> {
      if (!input.empty()) (void)co_await read_until(*far, "\r\n\r\n");
      session.begin_shutdown();
    };
    co_await when_all(serve(session, answer), shut_down());
    co_return "ended";
  };
  CHECK(*run(idle("")) == "ended");
  CHECK(*run(idle(kGet)) == "ended");

  auto serving = [](H1ServerSession& session) -> Task<> {
    session.begin_shutdown();
    co_await answer(session);
  };
  std::string output = *run(converse(std::string(kGet) + kGet, serving, options));
  CHECK(responses_in(output) == 1);
  CHECK_THAT(output, Catch::Contains("Connection: close"));
}

TEST_CASE_METHOD(Workers, "H1 server: a head that has begun is served through a shutdown",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  auto talk = [&]() -> Task<std::string> {
    auto [near, far] = MemoryStream::make_pair();
    H1ServerSession session(std::move(near), options);
    co_await put(*far, "GET / HTTP/1.1\r\n");
    auto client = [&]() -> Task<> {
      for (int i = 0; i < 10; ++i) co_await yield();  // the session reads what there is
      session.begin_shutdown();
      co_await put(*far, "Host: a\r\n\r\n");
    };
    co_await when_all(serve(session, answer), client());
    co_return co_await read_until(*far, "\r\n\r\n");
  };
  CHECK_THAT(*run(talk()), Catch::Contains("Connection: close"));
}

TEST_CASE_METHOD(Workers, "H1 server: holds no buffer between requests", "[session][h1_server]") {
  ServerSessionOptions options;
  auto talk = [&]() -> Task<> {
    auto [near, far] = MemoryStream::make_pair();
    H1ServerSession session(std::move(near), options);
    auto serve_two = [&]() -> Task<> { co_await serve(session, answer); };
    auto client = [&]() -> Task<> {
      std::size_t free_blocks = 0;
      for (int i = 0; i < 3; ++i) {
        co_await put(*far, kGet);
        {
          std::string output = co_await read_until(*far, "\r\n\r\n");
          CHECK(responses_in(output) == 1);
        }
        for (int turn = 0; turn < 10; ++turn) co_await yield();
        // The first request takes blocks from the heap, which stay in the free list.
        if (i != 0) CHECK(Block::free_blocks_of_this_thread() == free_blocks);
        free_blocks = Block::free_blocks_of_this_thread();
        CHECK(free_blocks >= 2);
      }
      far.reset();
    };
    co_await when_all(serve_two(), client());
  };
  run(talk()).value();
}
