// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Noticing the client's leaving, and cancelling what waits.
#include <catch2/catch.hpp>

#include "pingora/runtime/combinators.h"
#include "pingora/runtime/event.h"
#include "pingora/runtime/timer.h"
#include "wire.h"

using namespace pingora;
using namespace pingora::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

struct Watch final : ClosedWatch {
  void on_downstream_closed(Error error) override {
    ++count;
    type = error.type();
    source = error.source();
    event.set();
  }
  Event event;
  int count = 0;
  ErrorType type{};
  ErrorSource source{};
};

Task<> answer(H1ServerSession& session) {
  co_await session.write_head(response(200, "0"), EndOfStream::Yes);
}

struct Pair {
  explicit Pair(const ServerSessionOptions& options, MemoryStreamOptions near_options = {})
      : Pair(MemoryStream::make_pair(near_options), options) {}
  Pair(MemoryStream::Pair ends, const ServerSessionOptions& options)
      : far(std::move(ends.second)), session(std::move(ends.first), options) {}
  std::unique_ptr<MemoryStream> far;
  H1ServerSession session;
};

}  // namespace

TEST_CASE_METHOD(Workers, "H1 server: a client that leaves is noticed while nobody reads, once",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  enum class Leaving { Finish, Close, Reset };
  auto talk = [&](Leaving leaving) -> Task<> {
    Watch watch;
    Pair pair(options);
    co_await put(*pair.far, kGet);
    CHECK(co_await pair.session.read_request());
    pair.session.start_closed_watch(watch);
    if (leaving == Leaving::Finish) pair.far->shutdown_write();
    if (leaving == Leaving::Reset) pair.far->abort_on_close();
    if (leaving != Leaving::Finish) pair.far.reset();
    co_await watch.event.wait();
    CHECK(watch.type == ErrorType::ConnectionClosed);
    CHECK(watch.source == ErrorSource::Downstream);
    pair.session.start_closed_watch(watch);
    co_await yield();
    CHECK(watch.count == 1);
    pair.session.stop_closed_watch();
    CHECK_FALSE(co_await pair.session.finish());
  };
  run(talk(Leaving::Finish)).value();
  run(talk(Leaving::Close)).value();
  run(talk(Leaving::Reset)).value();
}

TEST_CASE_METHOD(Workers, "H1 server: a watch keeps the bytes of the next request, up to a block",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  auto talk = [&](std::size_t requests) -> Task<> {
    Watch watch;
    Pair pair(options, {.read_size_max = 1000});
    co_await put(*pair.far, kGet);
    std::string more;
    for (std::size_t i = 1; i < requests; ++i) more += kGet;
    CHECK(co_await pair.session.read_request());
    pair.session.start_closed_watch(watch);
    co_await put(*pair.far, more);
    pair.far->shutdown_write();
    bool is_noticed = more.size() < 16 * 1024;
    if (is_noticed) co_await watch.event.wait();
    for (int i = 0; i < 100; ++i) co_await yield();
    CHECK(watch.count == (is_noticed ? 1 : 0));
    pair.session.stop_closed_watch();
    std::size_t served = 1;
    co_await answer(pair.session);
    while (co_await pair.session.finish() && co_await pair.session.read_request()) {
      ++served;
      co_await answer(pair.session);
    }
    // One that leaves behind pipelined requests is served those that were read.
    CHECK(served == requests);
  };
  run(talk(3)).value();
  run(talk(1200)).value();
}

TEST_CASE_METHOD(Workers, "H1 server: a client that only sends no more is served on if so wanted",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  options.half_close = HalfClose::KeepServing;
  auto talk = [&](bool resets) -> Task<> {
    Watch watch;
    Pair pair(options);
    co_await put(*pair.far, kGet);
    CHECK(co_await pair.session.read_request());
    pair.session.start_closed_watch(watch);
    if (resets) pair.far->abort_on_close();
    pair.far->shutdown_write();
    if (resets) pair.far.reset();
    if (resets) co_await watch.event.wait();
    for (int i = 0; i < 10; ++i) co_await yield();
    CHECK(watch.count == (resets ? 1 : 0));
    if (resets) co_return;
    co_await answer(pair.session);
    if (co_await pair.session.finish()) CHECK_FALSE(co_await pair.session.read_request());
    CHECK_THAT(co_await read_until(*pair.far, "\r\n\r\n"), Catch::StartsWith("HTTP/1.1 200 "));
  };
  run(talk(false)).value();
  run(talk(true)).value();
}

TEST_CASE_METHOD(Workers, "H1 server: the body is read while a watch is on",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  auto talk = [&]() -> Task<> {
    Watch watch;
    Pair pair(options);
    co_await put(*pair.far, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nab");
    CHECK(co_await pair.session.read_request());
    CHECK((co_await pair.session.read_body()) == "ab");
    pair.session.start_closed_watch(watch);
    auto client = [&]() -> Task<> {
      co_await put(*pair.far, "cd");
      co_await yield();
      co_await yield();
      co_await put(*pair.far, "ef");
    };
    auto server = [&]() -> Task<> { CHECK((co_await read_whole_body(pair.session)) == "cdef"); };
    co_await when_all(server(), client());
    pair.far.reset();
    co_await watch.event.wait();
    CHECK(watch.count == 1);
  };
  run(talk()).value();
}

TEST_CASE_METHOD(Workers, "H1 server: cancelling a read loses nothing", "[session][h1_server]") {
  ServerSessionOptions options;
  auto talk = [&]() -> Task<> {
    Pair pair(options);
    auto never_started = pair.session.read_request();
    auto first = [](Task<bool> task) -> Task<> { (void)co_await std::move(task); };
    co_await put(*pair.far, "GET / HT");
    auto soon = [&]() -> Task<> {
      co_await yield();
      co_await yield();
    };
    {
      Task<bool> dropped = std::move(never_started);
    }
    co_await when_any(first(pair.session.read_request()), soon());
    co_await put(*pair.far, "TP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
    CHECK(co_await pair.session.read_request());
    CHECK((co_await pair.session.read_body()) == "ab");
    auto body = [&]() -> Task<> { (void)co_await pair.session.read_body(); };
    co_await when_any(body(), soon());
    co_await put(*pair.far, "cd");
    CHECK((co_await pair.session.read_body()) == "cd");
    co_await answer(pair.session);
    CHECK(co_await pair.session.finish());
  };
  run(talk()).value();
}

TEST_CASE_METHOD(Workers, "H1 server: cancelling a write ends the connection",
                 "[session][h1_server]") {
  ServerSessionOptions options;
  auto talk = [&](bool is_started) -> Task<> {
    Pair pair(options, {.capacity = 100});
    co_await put(*pair.far, kGet);
    CHECK(co_await pair.session.read_request());
    co_await pair.session.write_head(response(200, "1000"), EndOfStream::No);
    auto write = [&]() -> Task<> {
      co_await pair.session.write_body(Bytes::copy_of(std::string(1000, 'x')), EndOfStream::Yes);
    };
    if (is_started) {
      auto soon = []() -> Task<> { co_await yield(); };
      co_await when_any(write(), soon());
    } else {
      auto dropped =
          pair.session.write_body(Bytes::copy_of(std::string(1000, 'x')), EndOfStream::Yes);
      CHECK_FALSE(dropped.is_ready());
    }
    CHECK_FALSE(co_await pair.session.finish());
    CHECK_FALSE(co_await pair.session.read_request());
  };
  run(talk(false)).value();
  run(talk(true)).value();
}
