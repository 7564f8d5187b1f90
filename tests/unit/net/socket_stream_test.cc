// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/socket_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>

#include "net_fixture.h"
#include "pingora/net/connect.h"
#include "pingora/net/listener.h"
#include "pingora/runtime/combinators.h"
#include "pingora/runtime/event.h"
#include "pingora/runtime/timer.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

// The reads of all streams, counted on their way to the kernel.
struct ReceiveCounts {
  std::atomic<int> calls{0};
  std::atomic<int> empty{0};  // EAGAIN
};
ReceiveCounts receive_counts;

}  // namespace

static ssize_t counted(ssize_t size) {
  ++receive_counts.calls;
  if (size < 0 && errno == EAGAIN) ++receive_counts.empty;
  return size;
}

// These take the place of the C library's, for SocketStream in this program.
extern "C" ssize_t recv(int fd, void* bytes, size_t size, int flags) {
  return counted(::syscall(SYS_recvfrom, fd, bytes, size, flags, nullptr, nullptr));
}
extern "C" ssize_t recvmsg(int fd, msghdr* message, int flags) {
  return counted(::syscall(SYS_recvmsg, fd, message, flags));
}

namespace {

// Reads until `text` has arrived in full, or the stream ends.
Task<std::string> read_text(Stream* stream, std::size_t size) {
  Buffer buffer;
  while (buffer.size() < size) {
    if (co_await stream->read(buffer) == 0) break;
  }
  co_return std::string(buffer.view());
}

void write_last(Stream& stream, std::string_view text) {
  iovec piece{const_cast<char*>(text.data()), text.size()};
  auto written = stream.try_write_last({&piece, 1});
  REQUIRE(written);
  CHECK(written->value_or(0) == text.size());
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

TEST_CASE_METHOD(NetFixture,
                 "SocketStream: what is held back for the end goes with it, or is pushed",
                 "[net]") {
  bool is_unix = GENERATE(false, true);
  bool is_pushed = GENERATE(false, true);
  auto scenario = [](NetFixture* self, bool over_unix, bool pushed) -> Task<std::string> {
    auto [near, far] = co_await self->connected_pair(over_unix);
    write_last(*near, "last words");
    if (pushed) {
      near->push();
      std::string before_end = co_await read_text(far.get(), 10);
      near->shutdown_write();
      co_return before_end + co_await read_text(far.get(), 1);
    }
    near->shutdown_write();
    co_return co_await read_text(far.get(), 100);
  };
  CHECK(*block_on(runtime, scenario(this, is_unix, is_pushed)) == "last words");
}

TEST_CASE_METHOD(NetFixture, "SocketStream: the end goes in the segment of the last bytes",
                 "[net]") {
  auto segments_of_last_bytes = [](NetFixture* self) -> Task<std::uint32_t> {
    auto [near, far] = co_await self->connected_pair(false);
    auto sent = [](const Stream& stream) {
      // Linux's tcp_info has tcpi_segs_out there; that of the C library ends before it.
      constexpr std::size_t kSegmentsOut = 136;
      std::array<char, 256> info{};
      socklen_t size = info.size();
      REQUIRE(::getsockopt(stream.fd(), IPPROTO_TCP, TCP_INFO, info.data(), &size) == 0);
      std::uint32_t segments = 0;
      std::memcpy(&segments, info.data() + kSegmentsOut, sizeof(segments));
      return segments;
    };
    std::uint32_t before = sent(*near);
    write_last(*near, "last words");
    near->shutdown_write();
    co_return sent(*near) - before;
  };
  // The system waits for the end for 200 ms, which a busy machine may exceed.
  std::uint32_t fewest = 2;
  for (int i = 0; i < 20 && fewest != 1; ++i) {
    fewest = std::min(fewest, *block_on(runtime, segments_of_last_bytes(this)));
  }
  CHECK(fewest == 1);
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

TEST_CASE_METHOD(NetFixture, "SocketStream: reads a connection without one call in vain", "[net]") {
  constexpr int kRounds = 200;
  bool is_unix = Descriptor::tells_end() && GENERATE(false, true);
  auto scenario = [](NetFixture* self, bool over_unix) -> Task<> {
    auto [near, far] = co_await self->connected_pair(over_unix);
    Strand& strand = co_await current_strand();
    Worker& other = self->runtime.worker(1 - strand.worker().index());
    co_await far->move_to(other);
    self->group.spawn_on(other, echo(std::move(far)));
    Buffer buffer;
    for (int i = 0; i < kRounds; ++i) {
      co_await near->write({"ping"});
      co_await near->read(buffer);
      buffer.consume(buffer.size());
    }
  };
  int calls_before = receive_counts.calls;
  int empty_before = receive_counts.empty;
  REQUIRE(block_on(runtime, scenario(this, is_unix)));
  group.join_blocking();
  CHECK(receive_counts.empty == empty_before);
  // One call per message and side, and the one that finds the end.
  CHECK(receive_counts.calls - calls_before == 2 * kRounds + 1);
}

TEST_CASE_METHOD(NetFixture, "SocketStream: waiting holds no memory", "[net]") {
  bool is_unix = GENERATE(false, true);
  auto scenario = [](NetFixture* self, bool over_unix) -> Task<bool> {
    auto [near, far] = co_await self->connected_pair(over_unix);
    Buffer buffer;
    auto read = [](Stream* stream, Buffer* into) -> Task<> { co_await stream->read(*into); };
    auto nothing = []() -> Task<> { co_await yield(); };
    co_await far->write({"x"});
    co_await near->read(buffer);
    buffer.consume(1);
    auto first = co_await when_any(read(near.get(), &buffer), nothing());
    // An empty buffer without a block gives a fresh one, of the standard size.
    co_return first.index() == 1 && buffer.view().data() == nullptr;
  };
  CHECK(*block_on(runtime, scenario(this, is_unix)));
}

TEST_CASE_METHOD(NetFixture,
                 "SocketStream: a read cancelled before it starts, while it waits and "
                 "when it is ready loses nothing",
                 "[net]") {
  bool is_unix = GENERATE(false, true);
  auto scenario = [](NetFixture* self, bool over_unix) -> Task<std::string> {
    auto [near, far] = co_await self->connected_pair(over_unix);
    Buffer buffer;
    auto read = [](Stream* stream, Buffer* into) -> Task<> { co_await stream->read(*into); };
    auto yields = [](int count) -> Task<> {
      for (int i = 0; i < count; ++i) co_await yield();
    };
    auto write = [](Stream* stream, std::string_view text) -> Task<> {
      co_await stream->write({text});
    };
    {
      Task<> dropped = read(near.get(), &buffer);
    }
    co_await when_any(yields(0), read(near.get(), &buffer));
    for (int i = 0; i < 5; ++i) co_await when_any(read(near.get(), &buffer), yields(i));
    // Cancelled as soon as the bytes are on their way.
    co_await when_any(read(near.get(), &buffer), write(far.get(), "abc"));
    std::string text(buffer.view());
    text += co_await read_text(near.get(), 3 - text.size());
    co_return text;
  };
  CHECK(*block_on(runtime, scenario(this, is_unix)) == "abc");
}

TEST_CASE_METHOD(NetFixture, "SocketStream: a write can be cancelled while it waits", "[net]") {
  auto scenario = [](NetFixture* self) -> Task<bool> {
    auto [near, far] = co_await self->connected_pair(false);
    auto write = [](Stream* stream, TimePoint deadline) -> Task<> {
      std::string bytes(16 * 1024 * 1024, 'x');
      co_await stream->write({bytes}, deadline);
    };
    auto nothing = []() -> Task<> { co_await yield(); };
    {
      Task<> dropped = write(near.get(), kNever);
    }
    auto first = co_await when_any(write(near.get(), kNever), nothing());
    auto late = co_await write(near.get(), Clock::now() + 5ms).as_result();
    co_return first.index() == 1 && !late && late.error().type() == ErrorType::WriteTimedout;
  };
  CHECK(*block_on(runtime, scenario(this)));
}

TEST_CASE_METHOD(NetFixture, "SocketStream: a read ends with its deadline, or when interrupted",
                 "[net]") {
  auto scenario = [](NetFixture* self) -> Task<bool> {
    auto [near, far] = co_await self->connected_pair(false);
    Buffer buffer;
    auto late = co_await as_result(near->read(buffer, Clock::now() + 5ms));
    auto interrupt = [](Stream* stream) -> Task<> {
      co_await yield();
      stream->interrupt_read(Error::explain(ErrorType::Cancelled));
    };
    auto read = [](Stream* stream) -> Task<ErrorType> {
      Buffer into;
      auto result = co_await as_result(stream->read(into));
      co_return result ? ErrorType::UnknownError : result.error().type();
    };
    auto [type, none] = co_await when_all(read(near.get()), interrupt(near.get()));
    co_await far->write({"x"});
    std::size_t size = co_await near->read(buffer);
    co_return !late && late.error().type() == ErrorType::ReadTimedout &&
        type == ErrorType::Cancelled && size == 1;
  };
  CHECK(*block_on(runtime, scenario(this)));
}

namespace {

struct CountingWatch : IdleWatch {
  std::shared_ptr<void> on_idle_event() noexcept override {
    has_fired.set();
    return nullptr;
  }
  Event has_fired;
};

// One exchange, so that the streams are as those of a pool.
Task<> exchange(Stream* near, Stream* far) {
  co_await near->write({"request"});
  co_await read_text(far, 7);
  co_await far->write({"response"});
  co_await read_text(near, 8);
}

}  // namespace

TEST_CASE_METHOD(NetFixture,
                 "SocketStream: the idle watch fires on bytes and on the end, and a "
                 "quiet connection is good again",
                 "[net]") {
  bool is_unix = GENERATE(false, true);
  bool closes = GENERATE(false, true);
  auto scenario = [](NetFixture* self, bool over_unix, bool by_closing) -> Task<bool> {
    auto [near, far] = co_await self->connected_pair(over_unix);
    CountingWatch watch;
    bool is_good = near->start_idle_watch(watch) && near->stop_idle_watch();
    for (int i = 0; i < 20 && is_good; ++i) {
      co_await exchange(near.get(), far.get());
      is_good = near->start_idle_watch(watch);
      co_await yield();
      is_good = is_good && near->stop_idle_watch();
    }
    if (!is_good || !near->start_idle_watch(watch) || watch.has_fired.is_set()) co_return false;
    if (by_closing) {
      far.reset();
    } else {
      co_await far->write({"unexpected"});
    }
    co_await watch.has_fired.wait();
    co_return !near->stop_idle_watch() && !near->start_idle_watch(watch);
  };
  CHECK(*block_on(runtime, scenario(this, is_unix, closes)));
}

TEST_CASE_METHOD(NetFixture, "SocketStream: what came before the watch is not overlooked",
                 "[net]") {
  bool is_unix = GENERATE(false, true);
  bool was_used = GENERATE(false, true);
  auto scenario = [](NetFixture* self, bool over_unix, bool used) -> Task<bool> {
    auto [near, far] = co_await self->connected_pair(over_unix);
    if (used) co_await exchange(near.get(), far.get());
    CountingWatch watch;
    far.reset();
    if (!near->start_idle_watch(watch)) co_return true;
    co_await watch.has_fired.wait();
    co_return !near->stop_idle_watch();
  };
  CHECK(*block_on(runtime, scenario(this, is_unix, was_used)));
}

TEST_CASE_METHOD(NetFixture, "SocketStream: fails where the system does not watch it", "[net]") {
  auto scenario = [](NetFixture* self) -> Task<> {
    Worker& worker = (co_await current_strand()).worker();
    std::array<int, 2> fds{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0);
    SocketStream far(worker, fds[1], {});
    Descriptor first(worker, fds[0]);  // the same one is not watched twice
    SocketStream refused(self->runtime.worker(1 - worker.index()), fds[0], {});
    auto is_refusal = [](const Error& error) {
      return error.type() == ErrorType::SocketError && error.source() == ErrorSource::Internal;
    };
    auto moved = refused.move_to(worker);
    CHECK((!moved && is_refusal(moved.error())));
    Buffer buffer;
    auto read = co_await as_result(refused.read(buffer));
    CHECK((!read && is_refusal(read.error())));
    // What goes without waiting does.
    co_await far.write({"hello"});
    CHECK(co_await refused.read(buffer) == 5);
    std::string large(64 * 1024 * 1024, 'x');
    auto written = co_await as_result(refused.write({large}));
    CHECK((!written && is_refusal(written.error())));
    CountingWatch watch;
    CHECK_FALSE(refused.start_idle_watch(watch));
    first.release();
  };
  REQUIRE(block_on(runtime, scenario(this)));
}

TEST_CASE_METHOD(NetFixture, "SocketStream: goes on in another worker", "[net]") {
  auto scenario = [](NetFixture* self) -> Task<std::string> {
    auto [near, far] = co_await self->connected_pair(false);
    std::string text;
    for (int i = 0; i < 10; ++i) {
      if (i % 2 == 0) co_await far->write({"e"});  // early: before the move
      co_await near->move_to(self->runtime.worker(static_cast<std::size_t>(i / 2 % 2)));
      if (i % 2 != 0) co_await far->write({"l"});
      text += co_await read_text(near.get(), 1);
    }
    co_return text;
  };
  CHECK(*block_on(runtime, scenario(this)) == "elelelelel");
}
