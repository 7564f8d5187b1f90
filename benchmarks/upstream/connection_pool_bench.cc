// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// Taking an idle connection out of the pool and putting it back, as a proxied request does, beside
// a map of stacks under one mutex as one would write it first. The map neither watches its
// connections nor knows their ages or a capacity. Not measured: the socket, whose watch costs two
// more locks and no system call, and moving it between workers.
#include <benchmark/benchmark.h>

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "pingora/runtime/runtime.h"
#include "pingora/upstream/connection_pool.h"

namespace {

using namespace pingora;

constexpr std::size_t kThreadsMax = 8;
constexpr std::size_t kPeers = 64;

// A stream that nothing ever happens on.
class QuietStream final : public Stream {
 public:
  std::optional<Result<std::size_t>> try_write(std::span<const iovec>) override { return {}; }
  void shutdown_write() noexcept override {}
  bool start_idle_watch(IdleWatch&) override { return true; }
  bool stop_idle_watch() override { return true; }
  Result<void> move_to(Worker&) override { return {}; }

 protected:
  ReadAttempt attempt_read(Buffer&) override { return {}; }
  void start_wait(Direction, Strand&, Job&) override {}
  void cancel_wait(Direction, Strand&, Job&) override {}
};

struct Connection final : PooledConnection {
  using PooledConnection::PooledConnection;
  Stream& pooled_stream() noexcept override { return stream; }
  QuietStream stream;
};

// Never started: workers only lend their index.
Runtime& runtime() {
  static Runtime all(RuntimeOptions{.threads = kThreadsMax});
  return all;
}

const std::vector<HttpPeer>& peers() {
  static const auto all = [] {
    std::vector<HttpPeer> made;
    for (std::size_t i = 0; i < kPeers; ++i) {
      made.emplace_back("192.0.2." + std::to_string(i) + ":80");
    }
    return made;
  }();
  return all;
}

ConnectionPool& pool() {
  static ConnectionPool one({.capacity = 4096, .shards = kThreadsMax});
  return one;
}

class MutexMap {
 public:
  std::unique_ptr<Connection> get(const std::string& key) {
    std::lock_guard lock(mutex_);
    auto found = idle_.find(key);
    if (found == idle_.end() || found->second.empty()) return nullptr;
    auto connection = std::move(found->second.back());
    found->second.pop_back();
    return connection;
  }
  void put(const std::string& key, std::unique_ptr<Connection> connection) {
    std::lock_guard lock(mutex_);
    idle_[key].push_back(std::move(connection));
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::vector<std::unique_ptr<Connection>>> idle_;
};

MutexMap& mutex_map() {
  static MutexMap one;
  return one;
}

void get_and_put(benchmark::State& state) {
  Worker& worker = runtime().worker(static_cast<std::size_t>(state.thread_index()));
  for (const HttpPeer& peer : peers()) {
    pool().put(std::make_unique<Connection>(peer, worker), kNoTimeout, worker);
  }
  std::size_t i = 0;
  for (auto _ : state) {
    const HttpPeer& peer = peers()[i++ % kPeers];
    auto connection = pool().get(PeerKey(peer), worker);
    if (connection == nullptr) connection = std::make_unique<Connection>(peer, worker);
    pool().put(std::move(connection), kNoTimeout, worker);
  }
  if (state.thread_index() == 0) pool().clear();
}
BENCHMARK(get_and_put)->Name("upstream/pool/get_put/64_peers")->ThreadRange(1, kThreadsMax);

void miss(benchmark::State& state) {
  Worker& worker = runtime().worker(static_cast<std::size_t>(state.thread_index()));
  HttpPeer absent("192.0.2.1:81");
  for (auto _ : state) benchmark::DoNotOptimize(pool().get(PeerKey(absent), worker));
}
BENCHMARK(miss)->Name("upstream/pool/miss")->ThreadRange(1, kThreadsMax);

void make_peer(benchmark::State& state) {
  SocketAddress address = *SocketAddress::parse("192.0.2.1:80");
  for (auto _ : state) {
    HttpPeer peer(address);
    peer.options.read_timeout = std::chrono::seconds(1);
    HttpPeer moved(std::move(peer));
    benchmark::DoNotOptimize(PeerKey(moved).hash());
  }
}
BENCHMARK(make_peer)->Name("upstream/peer/make_move_hash");

void baseline(benchmark::State& state) {
  std::vector<std::string> keys;
  for (const HttpPeer& peer : peers()) keys.push_back(peer.address().to_string());
  Worker& worker = runtime().worker(static_cast<std::size_t>(state.thread_index()));
  std::size_t i = 0;
  for (auto _ : state) {
    const std::string& key = keys[i % kPeers];
    auto connection = mutex_map().get(key);
    if (connection == nullptr) {
      connection = std::make_unique<Connection>(peers()[i % kPeers], worker);
    }
    mutex_map().put(key, std::move(connection));
    ++i;
  }
}
BENCHMARK(baseline)->Name("upstream/pool/get_put/baseline_mutex_map")->ThreadRange(1, kThreadsMax);

}  // namespace
