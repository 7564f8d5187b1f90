// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/upstream/connection_pool.h"

#include <catch2/catch.hpp>
#include <initializer_list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "pingora/net/memory_stream.h"
#include "pingora/net/stream_layer.h"
#include "pingora/runtime/runtime.h"

using namespace pingora;
using namespace std::chrono_literals;

namespace {

std::atomic<int> live_connections{0};

// A connection over a stream in memory, whose other end the test holds.
struct TestConnection : PooledConnection {
  TestConnection(const HttpPeer& peer, Worker& worker, int number)
      : PooledConnection(peer, worker), number(number) {
    auto pair = MemoryStream::make_pair();
    stream = std::move(pair.first);
    other_end = std::move(pair.second);
    ++live_connections;
  }
  ~TestConnection() override { --live_connections; }
  Stream& pooled_stream() noexcept override { return *stream; }

  int number;
  std::unique_ptr<MemoryStream> stream;
  std::shared_ptr<MemoryStream> other_end;
};

// Takes every '~' for itself, as TLS does a session ticket.
class TicketStream : public StreamLayer {
 public:
  explicit TicketStream(std::unique_ptr<Stream> inner) : StreamLayer(std::move(inner)) {}
  std::optional<Result<std::size_t>> try_write(std::span<const iovec> pieces) override {
    return inner().try_write(pieces);
  }

 protected:
  ReadAttempt attempt_read(Buffer& into) override {
    note_inner_readable();
    Buffer received;
    auto result = inner().try_read(received);
    if (!result || !*result || **result == 0) return {std::move(result), false};
    std::string text(received.view());
    std::erase(text, '~');
    if (text.empty()) return {std::nullopt, false};
    into.append(text);
    return {text.size(), false};
  }
};

// A connection as with TLS.
struct TlsTestConnection : PooledConnection {
  TlsTestConnection(const HttpPeer& peer, Worker& worker) : PooledConnection(peer, worker) {
    auto pair = MemoryStream::make_pair();
    stream = std::make_unique<TicketStream>(std::move(pair.first));
    other_end = std::move(pair.second);
    ++live_connections;
  }
  ~TlsTestConnection() override { --live_connections; }
  Stream& pooled_stream() noexcept override { return *stream; }

  std::unique_ptr<TicketStream> stream;
  std::shared_ptr<MemoryStream> other_end;
};

struct PoolFixture {
  // Not started: the pool only asks workers for their index.
  Runtime runtime{RuntimeOptions{.threads = 4}};
  HttpPeer a{"127.0.0.1:1"};
  HttpPeer b{"127.0.0.1:2"};
  std::vector<std::shared_ptr<MemoryStream>> other_ends;  // of what was put, in order

  Worker& worker(std::size_t index) { return runtime.worker(index); }
  // Makes a new connection that is now idle in the pool.
  void put(ConnectionPool& pool, const HttpPeer& peer, int number, std::size_t at = 0,
           std::chrono::milliseconds timeout = 60s) {
    auto connection = std::make_unique<TestConnection>(peer, worker(at), number);
    other_ends.push_back(std::move(connection->other_end));
    pool.put(std::move(connection), timeout, worker(at));
  }
  // The number of the connection that the pool gives, which is closed; 0 for none.
  int get(ConnectionPool& pool, const HttpPeer& peer, std::size_t at = 0) {
    auto connection = pool.get(PeerKey(peer), worker(at));
    return connection ? static_cast<TestConnection&>(*connection).number : 0;
  }
};

bool send_to(MemoryStream& stream, std::string text) {
  iovec piece{text.data(), text.size()};
  auto written = stream.try_write({&piece, 1});
  return written && *written;
}

}  // namespace

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: gives the most recently used first", "[pool]") {
  ConnectionPool pool({.capacity = 8, .shards = 4});
  CHECK(get(pool, a) == 0);
  for (int i = 1; i <= 3; ++i) put(pool, a, i);
  CHECK(pool.size() == 3);
  for (int i = 3; i >= 1; --i) CHECK(get(pool, a) == i);
  CHECK(get(pool, a) == 0);
  CHECK(pool.stats().hits == 3);
  CHECK(pool.stats().misses == 2);
  CHECK(live_connections == 0);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: keeps the peers' connections apart", "[pool]") {
  ConnectionPool pool({.capacity = 1000, .shards = 1});
  constexpr int kPeers = 300;
  std::vector<HttpPeer> peers;
  for (int i = 0; i < kPeers; ++i) {
    peers.emplace_back("127.0.0.1:" + std::to_string(1 + i));
    put(pool, peers.back(), 1 + i);
  }
  CHECK(pool.size() == kPeers);
  for (int i = 0; i < kPeers; ++i) {
    CHECK(get(pool, peers[static_cast<std::size_t>(i)]) == 1 + i);
    CHECK(get(pool, peers[static_cast<std::size_t>(i)]) == 0);
  }
  CHECK(pool.size() == 0);
}

TEST_CASE_METHOD(PoolFixture,
                 "ConnectionPool: what comes back is with its own peer's, whoever had its place",
                 "[pool]") {
  ConnectionPool pool({.capacity = 8, .shards = 1});
  // Who takes the place of what is out: nobody, another peer, other connections of the same one.
  auto place = GENERATE(0, 1, 2, 3);
  put(pool, a, 1);
  auto out = pool.get(PeerKey(a), worker(0));
  REQUIRE(out != nullptr);
  if (place == 1 || place == 3) put(pool, b, 2);
  if (place == 2 || place == 3) put(pool, a, 3);
  pool.put(std::move(out), 60s, worker(0));
  CHECK(get(pool, a) == 1);
  CHECK(get(pool, a) == (place >= 2 ? 3 : 0));
  CHECK(get(pool, b) == (place % 2 == 1 ? 2 : 0));
  CHECK(get(pool, a) == 0);
  CHECK(pool.size() == 0);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: equal hashes do not make peers equal", "[pool]") {
  ConnectionPool pool({.capacity = 8, .shards = 1});
  put(pool, a, 1);
  CHECK(pool.get(PeerKey(b, PeerKey(a).hash()), worker(0)) == nullptr);
  CHECK(get(pool, a) == 1);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: takes from another worker what the own has not",
                 "[pool]") {
  ConnectionPool pool({.capacity = 8, .shards = 4});
  put(pool, a, 1, 2);
  put(pool, a, 2, 1);
  put(pool, b, 3, 0);
  CHECK(get(pool, a, 1) == 2);
  CHECK(pool.stats().moved == 0);
  auto moved = pool.get(PeerKey(a), worker(0));
  REQUIRE(moved != nullptr);
  CHECK(moved->reuse_count() == 1);
  CHECK(pool.stats().moved == 1);
  pool.put(std::move(moved), 60s, worker(0));
  CHECK(get(pool, a, 0) == 1);
  CHECK(pool.stats().moved == 1);
  CHECK(get(pool, a, 0) == 0);
  CHECK(pool.stats().hits == 3);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: one whose peer closed is gone at once", "[pool]") {
  ConnectionPool pool({.capacity = 8, .shards = 2});
  put(pool, a, 1);
  put(pool, a, 2);
  other_ends.pop_back();
  CHECK(pool.size() == 1);
  CHECK(live_connections == 1);
  CHECK(pool.stats().discarded == 1);
  CHECK(get(pool, a) == 1);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: unexpected bytes discard a connection", "[pool]") {
  ConnectionPool pool({.capacity = 8, .shards = 2});
  put(pool, a, 1);
  CHECK(send_to(*other_ends[0], "HTTP/1.1 408 Request Timeout\r\n\r\n"));
  CHECK(pool.size() == 0);
  CHECK(pool.stats().discarded == 1);
  CHECK(get(pool, a) == 0);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: what has bytes already is not kept", "[pool]") {
  ConnectionPool pool({.capacity = 8, .shards = 1});
  auto connection = std::make_unique<TestConnection>(a, worker(0), 1);
  CHECK(send_to(*connection->other_end, "x"));
  pool.put(std::move(connection), 60s, worker(0));
  CHECK(live_connections == 0);
  CHECK(pool.stats().discarded == 1);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: what concerns TLS alone leaves a connection be",
                 "[pool]") {
  const HttpPeer peer("127.0.0.1:1", Tls::Yes);
  ConnectionPool pool({.capacity = 8, .shards = 2});
  auto connection = std::make_unique<TlsTestConnection>(peer, worker(0));
  std::shared_ptr<MemoryStream> other_end = std::move(connection->other_end);
  const bool is_there_already = GENERATE(false, true);
  if (is_there_already) CHECK(send_to(*other_end, "~"));
  pool.put(std::move(connection), 60s, worker(0));
  CHECK(pool.size() == 1);

  for (int i = 0; i < 3; ++i) {
    CHECK(send_to(*other_end, "~~"));
    CHECK(pool.size() == 1);
  }
  CHECK(pool.stats().discarded == 0);
  SECTION("it is given") {
    auto given = pool.get(PeerKey(peer), worker(1));
    REQUIRE(given != nullptr);
    pool.put(std::move(given), 60s, worker(1));
    CHECK(send_to(*other_end, "~"));
    CHECK(pool.size() == 1);
  }
  SECTION("anything behind it discards it") {
    CHECK(send_to(*other_end, "~HTTP/1.1 408 Request Timeout\r\n\r\n"));
    CHECK(pool.size() == 0);
    CHECK(pool.stats().discarded == 1);
    CHECK(live_connections == 0);
  }
  SECTION("the peer closes") {
    other_end.reset();
    CHECK(pool.size() == 0);
    CHECK(pool.stats().discarded == 1);
    CHECK(live_connections == 0);
  }
  SECTION("it keeps its time of expiry") {
    pool.expire(coarse_now() + 61s);
    CHECK(pool.stats().expired == 1);
  }
  pool.clear();
  CHECK(live_connections == 0);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: capacity holds over all shards, the oldest goes",
                 "[pool]") {
  ConnectionPool pool({.capacity = 6, .shards = 4});
  // Ages differ by more than the resolution of the clock that they are told by.
  auto settle = [] {
    TimePoint before = coarse_now();
    while (coarse_now() == before) std::this_thread::yield();
  };
  for (int i = 1; i <= 6; ++i) {
    put(pool, a, i, static_cast<std::size_t>(i % 4));
    settle();
  }
  CHECK(pool.size() == 6);
  CHECK(pool.stats().evicted == 0);
  for (int i = 7; i <= 9; ++i) put(pool, b, i, 0);
  CHECK(pool.size() == 6);
  CHECK(pool.stats().evicted == 3);
  CHECK(live_connections == 6);
  int sum = 0;
  while (int number = get(pool, a)) sum += number;
  CHECK(sum == 4 + 5 + 6);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: a capacity of 0 and 1", "[pool]") {
  ConnectionPool none({.capacity = 0, .shards = 2});
  put(none, a, 1);
  CHECK(none.size() == 0);
  ConnectionPool one({.capacity = 1, .shards = 2});
  put(one, a, 2, 0);
  put(one, a, 3, 1);
  CHECK(one.size() == 1);
  CHECK(get(one, a, 0) == 3);
  CHECK(live_connections == 0);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: slots come back from other shards' reserves",
                 "[pool]") {
  ConnectionPool pool({.capacity = 8, .shards = 4});
  for (int round = 0; round < 5; ++round) {
    for (std::size_t at = 0; at < 4; ++at) {
      for (int i = 0; i < 8; ++i) put(pool, a, 1, at);
      CHECK(pool.size() == 8);
      for (int i = 0; i < 8; ++i) CHECK(get(pool, a, at) == 1);
      CHECK(pool.size() == 0);
    }
  }
  CHECK(pool.stats().evicted == 0);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: idle connections expire", "[pool]") {
  ConnectionPool pool({.capacity = 8, .shards = 2});
  TimePoint now = coarse_now();
  put(pool, a, 1, 0, 10s);
  put(pool, a, 2, 1, 100s);
  put(pool, b, 3, 0, kNoTimeout);
  put(pool, b, 4, 0, 0s);
  CHECK(pool.size() == 3);
  pool.expire(now + 9s);
  CHECK(pool.size() == 3);
  pool.expire(now + 11s);
  CHECK(pool.size() == 2);
  CHECK(pool.stats().expired == 1);
  pool.expire(now + 101s);
  CHECK(pool.size() == 1);
  CHECK(get(pool, b) == 3);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: what has expired is not given", "[pool]") {
  ConnectionPool pool({.capacity = 8, .shards = 2});
  put(pool, a, 1, 0, 1ms);
  TimePoint end = coarse_now() + 2ms;
  while (coarse_now() < end) std::this_thread::yield();
  CHECK(get(pool, a) == 0);
  CHECK(pool.stats().expired == 1);
  CHECK(pool.stats().hits == 0);
  CHECK(live_connections == 0);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: sheds as many as asked for", "[pool]") {
  ConnectionPool pool({.capacity = 8, .shards = 2});
  for (int i = 1; i <= 5; ++i) put(pool, a, i, static_cast<std::size_t>(i % 2));
  CHECK(pool.shed(2) == 2);
  CHECK(pool.size() == 3);
  CHECK(pool.stats().evicted == 2);
  CHECK(pool.shed(10) == 3);
  CHECK(pool.shed(1) == 0);
  CHECK(live_connections == 0);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: closes what is idle when it goes", "[pool]") {
  {
    ConnectionPool pool({.capacity = 8, .shards = 2});
    for (int i = 1; i <= 5; ++i) put(pool, a, i, static_cast<std::size_t>(i % 2));
    CHECK(live_connections == 5);
  }
  CHECK(live_connections == 0);
}

TEST_CASE_METHOD(PoolFixture, "ConnectionPool: workers exchange, peers close, all at once",
                 "[pool]") {
  constexpr int kRounds = 10000;
  constexpr std::size_t kThreads = 4;
  ConnectionPool pool({.capacity = 16, .shards = kThreads});
  // Other ends, which the threads close or write to while the pool has, moves or evicts their
  // connections.
  std::mutex mutex;
  auto run = [&](std::size_t at) {
    std::vector<std::unique_ptr<PooledConnection>> in_use;
    for (int i = 0; i < kRounds; ++i) {
      const HttpPeer& peer = i % 3 == 0 ? b : a;
      auto connection = pool.get(PeerKey(peer), worker(at));
      if (connection == nullptr) {
        auto made = std::make_unique<TestConnection>(peer, worker(at), i);
        {
          std::lock_guard lock(mutex);
          other_ends.push_back(std::move(made->other_end));
        }
        connection = std::move(made);
      }
      in_use.push_back(std::move(connection));
      if (in_use.size() < 3 + at) continue;
      for (auto& each : in_use) pool.put(std::move(each), 60s, worker((at + 1) % kThreads));
      in_use.clear();
      std::shared_ptr<MemoryStream> victim;
      {
        std::lock_guard lock(mutex);
        if (i % 2 == 0 && !other_ends.empty()) {
          victim = std::move(other_ends[static_cast<std::size_t>(i) % other_ends.size()]);
          std::swap(other_ends[static_cast<std::size_t>(i) % other_ends.size()], other_ends.back());
          other_ends.pop_back();
        }
      }
      if (victim && i % 4 == 0) send_to(*victim, "?");
      victim.reset();
      if (i % 64 == 0) pool.expire(coarse_now() + 30s);
      if (i % 100 == 0) pool.shed(1);
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t at = 0; at < kThreads; ++at) threads.emplace_back(run, at);
  for (std::thread& thread : threads) thread.join();

  CHECK(pool.size() <= 16);
  CHECK(static_cast<std::size_t>(live_connections.load()) == pool.size());
  ConnectionPoolStats stats = pool.stats();
  CHECK(stats.hits + stats.misses == kThreads * kRounds);
  pool.clear();
  CHECK(live_connections == 0);
  // No slot was lost or doubled.
  for (int i = 0; i < 20; ++i) put(pool, a, 1, static_cast<std::size_t>(i % 4));
  CHECK(pool.size() == 16);
}
