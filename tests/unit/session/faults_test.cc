// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// What goes wrong with the stream, at every operation: an error, its end, and a stall that only a
// deadline ends.
#include <catch2/catch.hpp>

#include "pingora/metrics/registry.h"
#include "pingora/runtime/combinators.h"
#include "wire.h"

using namespace pingora;
using namespace pingora::test;
using namespace std::chrono_literals;

namespace {

using Kind = StreamFault::Kind;
constexpr Kind kKinds[] = {Kind::Error, Kind::EndOfStream, Kind::Stall};

const std::string kResponse =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";

struct Attempt {
  std::string error;  // or empty: all went well
  RetryType retry = RetryType::No;
  ErrorSource source = ErrorSource::Unset;
  bool is_reusable = false;
};

Task<> exchange(H1ClientSession& session) {
  RequestHeader request = *RequestHeader::build(Method::Post, "/x");
  co_await session.write_head(request, {}, BodyLength::known(5));
  co_await session.flush();
  co_await session.write_body(Bytes::from_static("hel"), EndOfStream::No);
  co_await session.flush();
  co_await session.write_body(Bytes::from_static("lo"), EndOfStream::Yes);
  co_await session.read_head();
  Bytes piece;
  do {
    piece = co_await session.read_body();
  } while (!piece.empty());
}

Task<Attempt> attempt(MemoryStreamOptions near_options, bool is_reused) {
  ClientSessionOptions options;
  options.read_timeout = 4ms;
  options.write_timeout = 4ms;
  auto [near, far] = MemoryStream::make_pair(near_options);
  co_await put(*far, kResponse);
  H1ClientSession session(std::move(near), options);
  if (is_reused) session.mark_reused();
  Result<void> result = co_await exchange(session).as_result();
  Attempt outcome;
  outcome.is_reusable = session.is_reusable();
  if (!result) {
    outcome.error = to_string(result.error().type());
    outcome.retry = result.error().retry_type();
    outcome.source = result.error().source();
  }
  co_return outcome;
}

StreamFault fault(Kind kind, std::size_t operation, ErrorType error) {
  return {.kind = kind, .at_operation = operation, .error = error};
}

}  // namespace

TEST_CASE_METHOD(Workers, "H1 client: each failing read ends the exchange, and says if to retry",
                 "[session][h1_client]") {
  for (Kind kind : kKinds) {
    for (bool is_reused : {false, true}) {
      bool was_struck = true;
      for (std::size_t operation = 0; was_struck; ++operation) {
        CAPTURE(static_cast<int>(kind), is_reused, operation);
        MemoryStreamOptions options{.read_size_max = 16};
        options.read_fault = fault(kind, operation, ErrorType::ReadError);
        Attempt outcome = *run(attempt(options, is_reused));
        was_struck = !outcome.error.empty();
        CHECK(outcome.is_reusable == !was_struck);
        if (!was_struck) continue;
        CHECK(outcome.source == ErrorSource::Upstream);
        CHECK(outcome.error == (kind == Kind::Error         ? "ReadError"
                                : kind == Kind::EndOfStream ? "ConnectionClosed"
                                                            : "ReadTimedout"));
        bool may_retry = is_reused && operation == 0 && kind != Kind::Stall;
        CHECK(outcome.retry == (may_retry ? RetryType::ReusedOnly : RetryType::No));
        REQUIRE(operation < 100);
      }
    }
  }
}

TEST_CASE_METHOD(Workers, "H1 client: a response is not lost with a write that fails",
                 "[session][h1_client]") {
  for (Kind kind : {Kind::Error, Kind::EndOfStream}) {
    for (std::size_t operation = 0; operation < 3; ++operation) {
      CAPTURE(static_cast<int>(kind), operation);
      MemoryStreamOptions options;
      options.write_fault = fault(kind, operation, ErrorType::WriteError);
      Attempt outcome = *run(attempt(options, true));
      CHECK(outcome.error.empty());
      CHECK_FALSE(outcome.is_reusable);
      // Without a response, the write's error is what is told.
      options.read_fault = fault(Kind::EndOfStream, 0, ErrorType::ReadError);
      outcome = *run(attempt(options, true));
      CHECK(outcome.error == (kind == Kind::Error ? "WriteError" : "ConnectionClosed"));
      CHECK(outcome.retry == RetryType::ReusedOnly);
      CHECK(outcome.source == ErrorSource::Upstream);
    }
  }
}

TEST_CASE_METHOD(Workers, "H1 client: a write that stalls is an error of its own",
                 "[session][h1_client]") {
  for (std::size_t operation = 0; operation < 3; ++operation) {
    MemoryStreamOptions options;
    options.write_fault = fault(Kind::Stall, operation, ErrorType::WriteError);
    Attempt outcome = *run(attempt(options, true));
    CHECK(outcome.error == "WriteTimedout");
    CHECK(outcome.retry == RetryType::No);
    CHECK_FALSE(outcome.is_reusable);
  }
}

TEST_CASE_METHOD(Workers, "H1 client: an interrupted read gives the error that it was given",
                 "[session][h1_client]") {
  auto talk = [](bool in_body, bool is_early) -> Task<> {
    ClientSessionOptions options;
    auto [near, far] = MemoryStream::make_pair();
    H1ClientSession session(std::move(near), options);
    session.mark_reused();
    RequestHeader request = *RequestHeader::build(Method::Get, "/x");
    co_await session.write_head(request, {}, {});
    if (in_body) {
      co_await put(*far, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
      co_await session.read_head();
      CHECK((co_await session.read_body()) == "abc");
    }
    auto gone = [] { return Error::explain(ErrorType::ConnectionClosed, "gone").into_down(); };
    if (is_early) session.interrupt(gone());
    auto read = [&]() -> Task<> {
      Result<void> result;
      if (in_body) {
        auto piece = co_await session.read_body().as_result();
        if (!piece) result = fail(std::move(piece.error()));
      } else {
        result = co_await session.read_head().as_result();
      }
      REQUIRE_FALSE(result.has_value());
      CHECK(result.error().type() == ErrorType::ConnectionClosed);
      CHECK(result.error().source() == ErrorSource::Downstream);
      CHECK(result.error().retry_type() == RetryType::No);
    };
    auto interrupt = [&]() -> Task<> {
      if (!is_early) session.interrupt(gone());
      co_return;
    };
    co_await when_all(read(), interrupt());
    CHECK_FALSE(session.is_reusable());
  };
  for (bool in_body : {false, true}) {
    for (bool is_early : {false, true}) run(talk(in_body, is_early)).value();
  }
}

TEST_CASE_METHOD(Workers, "H1 client: cancelling a read loses nothing, and can be repeated",
                 "[session][h1_client]") {
  auto talk = []() -> Task<> {
    ClientSessionOptions options;
    auto [near, far] = MemoryStream::make_pair();
    H1ClientSession session(std::move(near), options);
    RequestHeader request = *RequestHeader::build(Method::Get, "/x");
    co_await session.write_head(request, {}, {});
    auto soon = []() -> Task<> {
      for (int i = 0; i < 5; ++i) co_await yield();
    };
    {
      auto never_started = session.read_head();
    }
    co_await put(*far, "HTTP/1.1 200 O");
    co_await when_any(session.read_head(), soon());
    co_await put(*far, "K\r\nContent-Length: 5\r\n\r\nabc");
    co_await session.read_head();
    CHECK((co_await session.read_body()) == "abc");
    auto read = [&]() -> Task<> { (void)co_await session.read_body(); };
    co_await when_any(read(), soon());
    co_await put(*far, "de");
    CHECK((co_await session.read_body()) == "de");
    CHECK(session.is_reusable());
  };
  run(talk()).value();
}

TEST_CASE_METHOD(Workers, "H1 client: a cancelled write leaves a connection that is not reused",
                 "[session][h1_client]") {
  auto talk = []() -> Task<> {
    ClientSessionOptions options;
    auto [near, far] = MemoryStream::make_pair({.capacity = 100});
    H1ClientSession session(std::move(near), options);
    RequestHeader request = *RequestHeader::build(Method::Put, "/x");
    co_await session.write_head(request, {}, BodyLength::known(1000));
    auto soon = []() -> Task<> { co_await yield(); };
    co_await when_any(session.write_body(Bytes::copy_of(std::string(1000, 'x')), EndOfStream::Yes),
                      soon());
    co_await put(*far, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    co_await session.read_head();
    CHECK(session.is_body_done());
    CHECK_FALSE(session.is_reusable());
  };
  run(talk()).value();
}

TEST_CASE_METHOD(Workers, "H1 server: each failing read or write ends the connection",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  options.first_request_timeout = options.keepalive_timeout = 4ms;
  options.head_timeout = options.body_read_timeout = options.write_timeout = 4ms;
  options.drain_timeout = 4ms;
  std::string input =
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n" + std::string(40, 'x') +
      "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
  std::string complete = *run(converse(input, echo, options, {.read_size_max = 16}));
  for (Kind kind : kKinds) {
    for (Direction direction : {Direction::Read, Direction::Write}) {
      std::string output;
      for (std::size_t operation = 0; output != complete; ++operation) {
        CAPTURE(static_cast<int>(kind), static_cast<int>(direction), operation);
        REQUIRE(operation < 60);
        MemoryStreamOptions near_options{.read_size_max = 16};
        bool is_read = direction == Direction::Read;
        (is_read ? near_options.read_fault : near_options.write_fault) =
            fault(kind, operation, is_read ? ErrorType::ReadError : ErrorType::WriteError);
        output = *run(converse(input, echo, options, near_options));
        // Never anything that a complete run does not begin with, but for an answer to a part of a
        // head.
        std::string_view common = output;
        if (std::size_t at = output.find("HTTP/1.1 40"); at != output.npos) {
          common = common.substr(0, at);
        }
        CHECK_THAT(complete, Catch::StartsWith(std::string(common)));
      }
    }
  }
}
