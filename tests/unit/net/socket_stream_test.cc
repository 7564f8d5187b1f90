// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/socket_stream.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <string>

#include "net_fixture.h"
#include "pingora/net/connect.h"
#include "pingora/net/listener.h"
#include "pingora/runtime/combinators.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

// Reads until `text` has arrived in full, or the stream ends.
Task<std::string> read_text(Stream* stream, std::size_t size) {
  Buffer buffer;
  while (buffer.size() < size) {
    if (co_await stream->read(buffer) == 0) break;
  }
  co_return std::string(buffer.view());
}

Task<> echo(std::unique_ptr<Stream> stream) {
  Buffer buffer;
  while (co_await stream->read(buffer) != 0) {
    co_await stream->write({buffer.view()});
    buffer.consume(buffer.size());
  }
}

}  // namespace

TEST_CASE_METHOD(NetFixture, "SocketStream: bytes go both ways over TCP and Unix sockets",
                 "[net]") {
  bool is_unix = GENERATE(false, true);
  auto scenario = [](NetFixture* self, bool over_unix) -> Task<std::string> {
    auto [near, far] = co_await self->connected_pair(over_unix);
    self->group.spawn(echo(std::move(far)));
    co_await near->write({"hello ", "world"});
    std::string answer = co_await read_text(near.get(), 11);
    near->shutdown_write();
    answer += co_await read_text(near.get(), 100);
    co_return answer;
  };
  CHECK(*block_on(runtime, scenario(this, is_unix)) == "hello world");
}

TEST_CASE_METHOD(NetFixture, "SocketStream: more than the kernel's buffers take suspends and ends",
                 "[net]") {
  constexpr std::size_t kSize = 8 * 1024 * 1024;
  auto scenario = [](NetFixture* self) -> Task<bool> {
    auto [near, far] = co_await self->connected_pair(false);
    auto send = [](Stream* stream) -> Task<> {
      std::string bytes(kSize, 'x');
      co_await stream->write({bytes});
      stream->shutdown_write();
    };
    auto receive = [](Stream* stream) -> Task<std::size_t> {
      std::size_t total = 0;
      Buffer buffer;
      while (std::size_t size = co_await stream->read(buffer)) {
        total += size;
        buffer.consume(buffer.size());
      }
      co_return total;
    };
    auto [none, total] = co_await when_all(send(near.get()), receive(far.get()));
    co_return total == kSize;
  };
  CHECK(*block_on(runtime, scenario(this)));
}

TEST_CASE_METHOD(NetFixture, "SocketStream: an end that came along with bytes is noticed",
                 "[net]") {
  bool is_unix = GENERATE(false, true);
  auto scenario = [](NetFixture* self, bool over_unix) -> Task<std::size_t> {
    auto [near, far] = co_await self->connected_pair(over_unix);
    co_await far->write({"last"});
    far.reset();
    Buffer buffer;
    co_await near->read(buffer);
    co_return co_await near->read(buffer);
  };
  CHECK(*block_on(runtime, scenario(this, is_unix)) == 0);
}

TEST_CASE_METHOD(NetFixture, "SocketStream: a reset is ConnectionClosed", "[net]") {
  auto scenario = [](NetFixture* self) -> Task<ErrorType> {
    auto [near, far] = co_await self->connected_pair(false);
    far->abort_on_close();
    far.reset();
    Buffer buffer;
    auto result = co_await as_result(near->read(buffer));
    co_return result ? ErrorType::UnknownError : result.error().type();
  };
  CHECK(*block_on(runtime, scenario(this)) == ErrorType::ConnectionClosed);
}
