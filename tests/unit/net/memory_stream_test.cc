// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/memory_stream.h"

#include <catch2/catch.hpp>
#include <string>

#include "net_fixture.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/event.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

Task<std::string> read_all(Stream* stream) {
  Buffer buffer;
  while (co_await stream->read(buffer) != 0) {
  }
  co_return std::string(buffer.view());
}

Task<> write_all(std::unique_ptr<MemoryStream> stream, std::string text) {
  std::string_view view = text;
  co_await stream->write({view.substr(0, view.size() / 2), view.substr(view.size() / 2)});
}

ErrorType type_of(const Result<std::size_t>& result) {
  return result ? ErrorType::UnknownError : result.error().type();
}

}  // namespace

TEST_CASE_METHOD(NetFixture, "MemoryStream: bytes pass between strands at any size of attempts",
                 "[net]") {
  auto size = GENERATE(1U, 2U, 3U, 7U, 16U, 1000000U);
  auto waits = GENERATE(false, true);
  MemoryStreamOptions options{
      .read_size_max = size, .write_size_max = size, .always_waits = waits, .capacity = 100};
  std::string text;
  for (int i = 0; i < 3000; ++i) text += static_cast<char>('a' + i % 26);
  auto [near, far] = MemoryStream::make_pair(options, options);
  group.spawn(write_all(std::move(far), text));
  auto received = block_on(runtime, read_all(near.get()));
  REQUIRE(received);
  CHECK(*received == text);
}

TEST_CASE_METHOD(NetFixture, "MemoryStream: a write beyond the capacity waits for the reader",
                 "[net]") {
  auto [near, far] = MemoryStream::make_pair({}, {.capacity = 4});
  iovec piece{const_cast<char*>("abcdef"), 6};
  auto first = far->try_write({&piece, 1});
  REQUIRE(first);
  CHECK(**first == 4);
  CHECK_FALSE(far->try_write({&piece, 1}));
  auto read_one = [](Stream* stream) -> Task<std::size_t> {
    Buffer buffer;
    co_return co_await stream->read(buffer);
  };
  CHECK(*block_on(runtime, read_one(near.get())) == 4);
  CHECK(far->try_write({&piece, 1}));
}

TEST_CASE_METHOD(NetFixture, "MemoryStream: a fault strikes after its bytes, not before", "[net]") {
  auto kind = GENERATE(StreamFault::Kind::Error, StreamFault::Kind::EndOfStream);
  auto [near, far] = MemoryStream::make_pair(
      {.read_fault = {.kind = kind, .after_bytes = 5, .error = ErrorType::ReadError}});
  iovec piece{const_cast<char*>("abcdefgh"), 8};
  REQUIRE(far->try_write({&piece, 1}));
  auto scenario = [](Stream* stream) -> Task<std::string> {
    Buffer buffer;
    co_await stream->read(buffer);
    auto result = co_await as_result(stream->read(buffer));
    std::string text(buffer.view());
    if (!result) co_return text + "!";
    co_return text + (*result == 0 ? "." : "?");
  };
  CHECK(*block_on(runtime, scenario(near.get())) ==
        (kind == StreamFault::Kind::Error ? "abcde!" : "abcde."));
}

TEST_CASE_METHOD(NetFixture, "MemoryStream: a fault strikes at the n-th operation", "[net]") {
  auto [near, far] = MemoryStream::make_pair(
      {.write_fault = {
           .kind = StreamFault::Kind::Error, .at_operation = 2, .error = ErrorType::WriteError}});
  iovec piece{const_cast<char*>("a"), 1};
  CHECK(near->try_write({&piece, 1})->has_value());
  CHECK(near->try_write({&piece, 1})->has_value());
  CHECK(type_of(*near->try_write({&piece, 1})) == ErrorType::WriteError);
  CHECK(type_of(*near->try_write({&piece, 1})) == ErrorType::WriteError);
}

TEST_CASE_METHOD(NetFixture, "MemoryStream: a stall ends with the deadline, or when released",
                 "[net]") {
  auto [near, far] =
      MemoryStream::make_pair({.read_fault = {.kind = StreamFault::Kind::Stall, .after_bytes = 0}});
  iovec piece{const_cast<char*>("abc"), 3};
  REQUIRE(far->try_write({&piece, 1}));
  auto read_until = [](Stream* stream, TimePoint deadline) -> Task<std::size_t> {
    Buffer buffer;
    co_return co_await stream->read(buffer, deadline);
  };
  auto late = block_on(runtime, read_until(near.get(), Clock::now() + 1ms));
  CHECK(type_of(late) == ErrorType::ReadTimedout);
  auto released = [](Task<std::size_t> read, MemoryStream* stream) -> Task<std::size_t> {
    auto release = [](MemoryStream* stalled) -> Task<> {
      co_await yield();
      stalled->release_stall();
    };
    auto [size, none] = co_await when_all(std::move(read), release(stream));
    co_return size;
  };
  auto result = block_on(runtime, released(read_until(near.get(), kNever), near.get()));
  REQUIRE(result);
  CHECK(*result == 3);
}

TEST_CASE_METHOD(NetFixture, "MemoryStream: a read that is cancelled loses nothing", "[net]") {
  auto [near, far] = MemoryStream::make_pair();
  auto scenario = [](Stream* reader, Stream* writer) -> Task<std::size_t> {
    auto read = [](Stream* stream) -> Task<std::size_t> {
      Buffer buffer;
      co_return co_await stream->read(buffer);
    };
    // The write makes the read ready, and the event that is set ends it before it runs.
    auto write_and_end = [](Stream* stream) -> Task<> { co_await stream->write({"abc"}); };
    auto first = co_await when_any(read(reader), write_and_end(writer));
    if (first.index() != 1) co_return 0;
    co_return co_await read(reader);
  };
  CHECK(*block_on(runtime, scenario(near.get(), far.get())) == 3);
}

TEST_CASE_METHOD(NetFixture, "MemoryStream: destroying an end ends the other one", "[net]") {
  auto aborts = GENERATE(false, true);
  auto [near, far] = MemoryStream::make_pair();
  iovec piece{const_cast<char*>("abc"), 3};
  REQUIRE(far->try_write({&piece, 1}));
  if (aborts) far->abort_on_close();
  far.reset();
  CHECK(near->is_peer_finished());
  CHECK(type_of(*near->try_write({&piece, 1})) == ErrorType::ConnectionClosed);
  auto received = block_on(runtime, read_all(near.get()));
  if (aborts) {
    REQUIRE(!received);
    CHECK(received.error().type() == ErrorType::ConnectionClosed);
  } else {
    CHECK(*received == "abc");
  }
}

TEST_CASE_METHOD(NetFixture, "MemoryStream: the idle watch fires on bytes and on the end",
                 "[net]") {
  struct Watch : IdleWatch {
    std::shared_ptr<void> on_idle_event() noexcept override {
      ++events;
      return nullptr;
    }
    int events = 0;
  };
  auto closes = GENERATE(false, true);
  auto [near, far] = MemoryStream::make_pair();
  Watch watch;
  REQUIRE(near->start_idle_watch(watch));
  CHECK(near->stop_idle_watch());
  REQUIRE(near->start_idle_watch(watch));
  iovec piece{const_cast<char*>("a"), 1};
  if (closes) {
    far.reset();
  } else {
    REQUIRE(far->try_write({&piece, 1}));
  }
  CHECK(watch.events == 1);
  CHECK_FALSE(near->stop_idle_watch());
  CHECK_FALSE(near->start_idle_watch(watch));
}
