// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/descriptor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "pingora/runtime/combinators.h"
#include "pingora/runtime/task_group.h"
#include "pingora/runtime/timer.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

// `co_await ReadyOp(descriptor, direction)`
class ReadyOp {
 public:
  using ValueType = void;
  ReadyOp(Descriptor& descriptor, Direction direction) noexcept
      : descriptor_(descriptor), direction_(direction) {}
  bool start(Completion& completion) {
    completion_ = &completion;
    descriptor_.start_wait(direction_, completion.strand(), completion);
    return false;
  }
  void cancel() { descriptor_.cancel_wait(direction_, completion_->strand(), *completion_); }
  Result<void> take_result() { return {}; }

 private:
  Descriptor& descriptor_;
  Direction direction_;
  Completion* completion_ = nullptr;
};

// One end in a worker's reactor, the other one with the test.
struct DescriptorFixture {
  DescriptorFixture() {
    runtime.start();
    std::array<int, 2> fds{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0);
    descriptor.emplace(runtime.worker(0), fds[0]);
    peer = fds[1];
  }
  ~DescriptorFixture() { close_peer(); }
  void close_peer() {
    if (peer >= 0) ::close(std::exchange(peer, -1));
  }
  void send(const char* text) { REQUIRE(::write(peer, text, ::strlen(text)) > 0); }

  // Waits until there is something to read, and reads it.
  static Task<std::string> receive(Descriptor* from) {
    std::array<char, 100> bytes{};
    for (;;) {
      ssize_t size = ::read(from->fd(), bytes.data(), bytes.size());
      if (size >= 0) co_return std::string(bytes.data(), static_cast<std::size_t>(size));
      co_await ReadyOp(*from, Direction::Read);
    }
  }

  Runtime runtime{RuntimeOptions{.threads = 2, .name = "test"}};
  std::optional<Descriptor> descriptor;
  int peer = -1;
};

Task<> yields(int count) {
  for (int i = 0; i < count; ++i) co_await yield();
}

struct Watch : IdleWatch {
  std::shared_ptr<void> on_idle_event() noexcept override {
    auto discarded = std::move(discard);
    has_fired.count_down();
    return discarded;
  }
  std::latch has_fired{1};
  std::shared_ptr<void> discard;
};

}  // namespace

TEST_CASE_METHOD(DescriptorFixture, "Descriptor: a wait for reading ends with bytes, and the end",
                 "[descriptor]") {
  send("one");
  CHECK(*block_on(runtime, receive(&*descriptor)) == "one");
  auto send_later = [](DescriptorFixture* self, const char* text) -> Task<> {
    co_await yields(5);
    self->send(text);
  };
  auto both = block_on(runtime, when_all(receive(&*descriptor), send_later(this, "two")));
  CHECK(std::get<0>(*both) == "two");
  close_peer();
  CHECK(block_on(runtime, receive(&*descriptor))->empty());
}

TEST_CASE_METHOD(DescriptorFixture, "Descriptor: a wait for writing ends when there is room",
                 "[descriptor]") {
  auto fill = [](int fd) {
    std::string bytes(4096, 'x');
    while (::write(fd, bytes.data(), bytes.size()) > 0) {
    }
  };
  auto drain = [](int fd) {
    std::string bytes(65536, ' ');
    while (::read(fd, bytes.data(), bytes.size()) > 0) {
    }
  };
  auto write_one = [](Descriptor* to) -> Task<int> {
    int waits = 0;
    while (::write(to->fd(), "y", 1) < 0) {
      ++waits;
      co_await ReadyOp(*to, Direction::Write);
    }
    co_return waits;
  };
  for (int round = 0; round < 3; ++round) {
    fill(descriptor->fd());
    auto drain_later = [](decltype(drain) f, int fd) -> Task<> {
      co_await yields(5);
      f(fd);
    };
    auto both = block_on(runtime, when_all(write_one(&*descriptor), drain_later(drain, peer)));
    REQUIRE(both);
    CHECK(std::get<0>(*both) >= 1);
    drain(peer);
  }
}

TEST_CASE_METHOD(DescriptorFixture,
                 "Descriptor: what a cancelled wait would have been told, the "
                 "next one is",
                 "[descriptor]") {
  for (int round = 0; round < 20; ++round) {
    auto cancelled = block_on(runtime, when_any(receive(&*descriptor), yields(round % 5)));
    REQUIRE(cancelled);
    REQUIRE(cancelled->index() == 1);
    send("x");
    REQUIRE(*block_on(runtime, receive(&*descriptor)) == "x");
  }
}

TEST_CASE_METHOD(DescriptorFixture, "Descriptor: may go while waits are in the reactor",
                 "[descriptor]") {
  auto cancelled = block_on(runtime, when_any(receive(&*descriptor), yields(2)));
  CHECK(cancelled->index() == 1);
  descriptor.reset();
  char byte = 0;
  CHECK(::read(peer, &byte, 1) == 0);
}

TEST_CASE_METHOD(DescriptorFixture, "Descriptor: an idle watch is told of bytes and of the end",
                 "[descriptor]") {
  bool closes = GENERATE(false, true);
  bool was_read = GENERATE(false, true);
  if (was_read) {
    send("x");
    REQUIRE(block_on(runtime, receive(&*descriptor)));
    // Until the kernel has nothing left, as the rules say.
    REQUIRE(block_on(runtime, when_any(receive(&*descriptor), yields(2)))->index() == 1);
  }
  Watch watch;
  REQUIRE(descriptor->start_idle_watch(watch));
  if (closes) {
    close_peer();
  } else {
    send("y");
  }
  watch.has_fired.wait();
  CHECK_FALSE(descriptor->stop_idle_watch());
  CHECK_FALSE(descriptor->start_idle_watch(watch));
  CHECK(*block_on(runtime, receive(&*descriptor)) == (closes ? "" : "y"));
}

TEST_CASE_METHOD(DescriptorFixture, "Descriptor: a watch that is stopped in time tells nothing",
                 "[descriptor]") {
  REQUIRE(block_on(runtime, when_any(receive(&*descriptor), yields(2)))->index() == 1);
  Watch watch;
  REQUIRE(descriptor->start_idle_watch(watch));
  REQUIRE(descriptor->stop_idle_watch());
  send("x");
  CHECK(*block_on(runtime, receive(&*descriptor)) == "x");
  CHECK_FALSE(watch.has_fired.try_wait());
}

TEST_CASE_METHOD(DescriptorFixture, "Descriptor: a watch may have it destroyed", "[descriptor]") {
  REQUIRE(block_on(runtime, when_any(receive(&*descriptor), yields(2)))->index() == 1);
  auto owned = std::make_shared<Descriptor>(std::move(*descriptor));
  descriptor.reset();
  Watch watch;
  Descriptor& watched = *owned;
  watch.discard = std::move(owned);
  REQUIRE(watched.start_idle_watch(watch));
  send("x");
  watch.has_fired.wait();
  char byte = 0;
  while (::read(peer, &byte, 1) < 0 && errno == EAGAIN) std::this_thread::yield();
  CHECK(::read(peer, &byte, 1) <= 0);
}

TEST_CASE_METHOD(DescriptorFixture, "Descriptor: what the system does not watch is a failure",
                 "[descriptor]") {
  CHECK(descriptor->failure() == 0);
  Descriptor refused(runtime.worker(0), descriptor->fd());  // the same one is not watched twice
  CHECK(refused.failure() == EEXIST);
  Watch watch;
  CHECK_FALSE(refused.start_idle_watch(watch));
  // Waits are over at once, again and again, and one that is cancelled is not told.
  auto waits = [&]() -> Task<> {
    for (int i = 0; i < 3; ++i) {
      co_await ReadyOp(refused, Direction::Read);
      co_await ReadyOp(refused, Direction::Write);
    }
  };
  CHECK(block_on(runtime, waits()));
  auto cancelled = [&]() -> Task<> { co_await ReadyOp(refused, Direction::Read); };
  CHECK(block_on(runtime, when_any(yields(0), cancelled()))->index() == 0);
  Descriptor moved(runtime.worker(1), refused.release());
  CHECK(moved.failure() == 0);
  descriptor->release();
}

TEST_CASE_METHOD(DescriptorFixture, "Descriptor: goes on in another worker", "[descriptor]") {
  for (int round = 0; round < 10; ++round) {
    REQUIRE(block_on(runtime, when_any(receive(&*descriptor), yields(2)))->index() == 1);
    if (round % 2 == 0) send("early");
    Worker& next = runtime.worker(1 - descriptor->worker().index());
    *descriptor = Descriptor(next, descriptor->release());
    CHECK(&descriptor->worker() == &next);
    if (round % 2 != 0) send("later");
    CHECK(*block_on(runtime, receive(&*descriptor)) == (round % 2 == 0 ? "early" : "later"));
  }
}

TEST_CASE_METHOD(DescriptorFixture,
                 "Descriptor: an edge of bytes that were read already is no idle "
                 "event",
                 "[descriptor]") {
  for (int round = 0; round < 50; ++round) {
    // Sometimes the wait that is cancelled has had the edge, sometimes the reactor still has it.
    auto waiting = block_on(runtime, when_any(receive(&*descriptor), yields(1)));
    REQUIRE(waiting->index() == 1);
    send("x");
    char byte = 0;
    REQUIRE(::read(descriptor->fd(), &byte, 1) == 1);
    Watch watch;
    REQUIRE(descriptor->start_idle_watch(watch));
    REQUIRE(block_on(runtime, yields(round % 7)));
    REQUIRE(descriptor->stop_idle_watch());
    CHECK_FALSE(watch.has_fired.try_wait());
  }
}

TEST_CASE_METHOD(DescriptorFixture, "Descriptor: an end that came along with bytes is known",
                 "[descriptor]") {
  auto ready = [](Descriptor* of) -> Task<bool> {
    co_await ReadyOp(*of, Direction::Read);
    co_return of->has_ended();
  };
  send("x");
  CHECK(*block_on(runtime, ready(&*descriptor)) == false);
  send("y");
  close_peer();
  // The wait may have been told of the bytes before the end came; the next one is told of that.
  bool has_ended = *block_on(runtime, ready(&*descriptor));
  if (Descriptor::tells_end() && !has_ended) has_ended = *block_on(runtime, ready(&*descriptor));
  CHECK(has_ended == Descriptor::tells_end());
}

TEST_CASE_METHOD(DescriptorFixture, "Descriptor: hears nothing of one that was there before it",
                 "[descriptor]") {
  auto scenario = []() -> Task<bool> {
    bool was_told = false;
    auto wait = [](Descriptor* of) -> Task<> { co_await ReadyOp(*of, Direction::Read); };
    Strand& strand = co_await current_strand();
    for (int round = 0; round < 50; ++round) {
      std::array<int, 2> old{};
      std::array<int, 2> fresh{};
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, old.data());
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fresh.data());
      std::optional<Descriptor> gone(std::in_place, strand.worker(), old[0]);
      if (::write(old[1], "x", 1) != 1) co_return true;
      co_await yields(round % 5);  // the event may be on its way
      gone.reset();
      Descriptor after(strand.worker(), fresh[0]);
      auto first = co_await when_any(wait(&after), yields(10));
      was_told = was_told || first.index() == 0;
      ::close(old[1]);
      ::close(fresh[1]);
    }
    co_return was_told;
  };
  CHECK(*block_on(runtime, scenario()) == false);
}

TEST_CASE("Descriptor: events behind one whose handler is stuck are reported all the same",
          "[descriptor]") {
  constexpr int kCount = 8;
  Runtime runtime(RuntimeOptions{.threads = 1, .monitor_period = 200us, .name = "test"});
  runtime.start();
  std::atomic<int> told{0};
  // The first one holds the thread until all others have been told too.
  auto wait = [](Descriptor* of, std::atomic<int>* counter) -> Task<> {
    co_await ReadyOp(*of, Direction::Read);
    if (counter->fetch_add(1) != 0) co_return;
    TimePoint give_up = Clock::now() + 10s;
    while (*counter < kCount && Clock::now() < give_up) {
    }
  };
  for (int round = 0; round < 10; ++round) {
    told = 0;
    TaskGroup group(runtime);
    std::array<std::optional<Descriptor>, kCount> waiting;
    std::array<int, kCount> peers{};
    for (int i = 0; i < kCount; ++i) {
      std::array<int, 2> fds{};
      REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) ==
              0);
      waiting[i].emplace(runtime.worker(0), fds[0]);
      peers[i] = fds[1];
      group.spawn_on(runtime.worker(0), wait(&*waiting[i], &told));
    }
    // All at once, while the worker is held up.
    auto send_all = [](std::array<int, kCount>* to) -> Task<> {
      for (int peer : *to) {
        if (::write(peer, "x", 1) != 1) co_await Error::internal("write");
      }
    };
    CHECK(block_on(runtime, send_all(&peers)));
    group.join_blocking();
    CHECK(told == kCount);
    for (int peer : peers) ::close(peer);
  }
}
