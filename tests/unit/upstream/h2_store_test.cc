// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "upstream/h2_store.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "pingora/session/stream_slots.h"

using namespace pingora;
using namespace std::chrono_literals;
using internal::H2Store;
using internal::SharedConnection;
using internal::StreamSlots;

namespace {

// A connection that carries nothing.
struct Slots : SharedConnection {
  explicit Slots(std::uint32_t limit, Duration timeout = 1h) : slots(limit), idle_timeout(timeout) {
    slots.try_take();  // the maker's
  }
  bool try_take_stream() noexcept override { return slots.try_take(); }
  bool is_closed_to_streams() const noexcept override { return slots.is_closed(); }
  bool is_idle() const noexcept override { return slots.is_idle(); }
  TimePoint idle_since() const noexcept override { return slots.idle_since(); }
  TimePoint expiry() const noexcept override { return slots.idle_since() + idle_timeout; }
  bool close_if_idle() noexcept override { return slots.close_if_idle_since(kNever); }

  StreamSlots slots;
  Duration idle_timeout;
};

HttpPeer peer_with(std::uint32_t max_h2_streams) {
  HttpPeer peer("192.0.2.1:80");
  peer.options.alpn = Alpn::H2;
  peer.options.max_h2_streams = max_h2_streams;
  return peer;
}

HttpPeer peer_at(std::uint64_t group_key) {
  HttpPeer peer = peer_with(10);
  peer.group_key = group_key;
  return peer;
}

// Makes a connection, which nothing stands in the way of.
std::shared_ptr<Slots> make(H2Store& store, const HttpPeer& peer, std::uint32_t limit,
                            Duration timeout = 1h) {
  auto found = store.find(peer);
  REQUIRE(found.is_maker);
  auto connection = std::make_shared<Slots>(limit, timeout);
  store.made(found.making, connection);
  return connection;
}

}  // namespace

TEST_CASE("H2Store: the first request makes the connection, the others take its streams",
          "[h2store]") {
  H2Store store(8, 1min);
  HttpPeer peer = peer_with(100);
  auto connection = make(store, peer, 100);
  for (int i = 0; i < 99; ++i) REQUIRE(store.find(peer).connection == connection);
  CHECK(store.stats().hits == 99);
  CHECK(store.stats().made == 1);
}

TEST_CASE("H2Store: a second connection is made when the first is full, not before", "[h2store]") {
  H2Store store(8, 1min);
  HttpPeer peer = peer_with(100);
  auto first = make(store, peer, 2);
  CHECK(store.find(peer).connection == first);
  auto second = make(store, peer, 2);
  first->slots.give_back();
  CHECK(store.find(peer).connection == first);
  CHECK(store.find(peer).connection == second);
}

TEST_CASE("H2Store: requests side by side wait for the connection that is being made",
          "[h2store]") {
  H2Store store(8, 1min);
  HttpPeer peer = peer_with(3);
  auto maker = store.find(peer);
  REQUIRE(maker.is_maker);
  for (int i = 0; i < 2; ++i) {
    auto waiting = store.find(peer);
    CHECK(waiting.making == maker.making);
    CHECK_FALSE(waiting.is_maker);
  }
  // It is full before it is made.
  auto another = store.find(peer);
  CHECK(another.is_maker);
  CHECK(another.making != maker.making);
  auto connection = std::make_shared<Slots>(3);
  store.made(maker.making, connection);
  CHECK(maker.making->done.is_set());
  CHECK_FALSE(maker.making->error());
  CHECK(store.find(peer).connection == connection);
  CHECK(store.find(peer).connection == connection);
  CHECK(store.find(peer).making == another.making);
  CHECK(store.stats().waits == 3);
}

TEST_CASE("H2Store: all who wait learn why no connection could be made", "[h2store]") {
  H2Store store(8, 1min);
  HttpPeer peer = peer_with(3);
  auto maker = store.find(peer);
  auto waiting = store.find(peer);
  store.failed(maker.making, Error::explain(ErrorType::ConnectRefused, "no"));
  CHECK(waiting.making->done.is_set());
  REQUIRE(waiting.making->error());
  CHECK(waiting.making->error()->type() == ErrorType::ConnectRefused);
  CHECK(store.find(peer).is_maker);
}

TEST_CASE("H2Store: when the maker gives up, one of those who wait makes it", "[h2store]") {
  H2Store store(8, 1min);
  HttpPeer peer = peer_with(3);
  auto maker = store.find(peer);
  auto waiting = store.find(peer);
  store.abandoned(maker.making);
  CHECK(waiting.making->done.is_set());
  CHECK_FALSE(waiting.making->error());
  auto again = store.find(peer);
  CHECK(again.is_maker);
  CHECK(store.find(peer).making == again.making);
}

TEST_CASE("H2Store: peers with other identities get other connections", "[h2store]") {
  H2Store store(8, 1min);
  auto connection = make(store, peer_at(1), 10);
  CHECK(store.find(peer_at(2)).is_maker);
  CHECK(store.find(peer_at(1)).connection == connection);
}

TEST_CASE("H2Store: what takes no streams any more is forgotten when it is met", "[h2store]") {
  H2Store store(8, 1min);
  HttpPeer peer = peer_with(10);
  auto connection = make(store, peer, 10);
  connection->slots.close();
  std::weak_ptr<Slots> weak = connection;
  connection.reset();
  CHECK(store.find(peer).is_maker);
  CHECK(weak.expired());
  CHECK(store.stats().discarded == 1);
  CHECK(store.size().connections == 0);
}

TEST_CASE("H2Store: forgets a connection that it is told of", "[h2store]") {
  H2Store store(8, 1min);
  HttpPeer peer = peer_with(10);
  auto first = make(store, peer, 1);
  auto second = make(store, peer, 1);
  first->slots.close();
  store.remove(peer, *first);
  store.remove(peer, *first);
  CHECK(store.size().connections == 1);
  second->slots.give_back();
  CHECK(store.find(peer).connection == second);
}

TEST_CASE("H2Store: a peer that speaks HTTP/1 only is remembered for a while", "[h2store]") {
  HttpPeer peer = peer_with(10);
  {
    H2Store store(8, 1h);
    auto maker = store.find(peer);
    store.note_h1_only(peer);
    store.abandoned(maker.making);
    CHECK(store.find(peer).prefers_h1);
    CHECK(store.stats().fallbacks == 1);
    store.expire(coarse_now());
    CHECK(store.find(peer).prefers_h1);
    store.expire(coarse_now() + 2h);
    CHECK(store.find(peer).is_maker);
  }
  H2Store store(8, 0s);
  store.note_h1_only(peer);
  CHECK(store.find(peer).is_maker);
}

TEST_CASE("H2Store: no more than so many peers are remembered to speak HTTP/1", "[h2store]") {
  H2Store store(8, 1h);
  constexpr std::uint64_t kPeers = 6000;  // 4,096 in 16 shards are the most
  for (std::uint64_t i = 0; i < kPeers; ++i) store.note_h1_only(peer_at(i));
  std::size_t remembered = 0;
  for (std::uint64_t i = 0; i < kPeers; ++i) {
    if (store.find(peer_at(i)).prefers_h1) ++remembered;
  }
  CHECK(remembered > 3000);
  CHECK(remembered <= 4096);
}

TEST_CASE("H2Store: idle connections expire, busy ones do not", "[h2store]") {
  H2Store store(8, 1min);
  auto busy = make(store, peer_at(1), 10, 0s);
  auto idle = make(store, peer_at(2), 10, 1s);
  auto patient = make(store, peer_at(3), 10, 1h);
  idle->slots.give_back();
  patient->slots.give_back();
  store.expire(idle->slots.idle_since());
  CHECK(store.size().connections == 3);
  store.expire(idle->slots.idle_since() + 1s);
  CHECK(store.size().connections == 2);
  CHECK(store.size().idle == 1);
  CHECK(idle->slots.is_closed());
  CHECK(store.stats().expired == 1);
}

TEST_CASE("H2Store: keeps no more idle connections than its capacity", "[h2store]") {
  H2Store store(2, 1min);
  std::vector<std::shared_ptr<Slots>> connections;
  for (std::uint64_t i = 0; i < 4; ++i) connections.push_back(make(store, peer_at(i), 10));
  for (auto& each : connections) each->slots.give_back();
  store.expire(coarse_now());
  CHECK(store.size().idle == 2);
  CHECK(store.stats().evicted == 2);
  CHECK(store.shed(1) == 1);
  CHECK(store.shed(9) == 1);
  CHECK(store.size().idle == 0);
}

TEST_CASE("H2Store: cleared, it gives no connection that it had", "[h2store]") {
  H2Store store(8, 1min);
  HttpPeer peer = peer_with(10);
  auto busy = make(store, peer, 10);
  auto idle = make(store, peer_at(7), 10);
  idle->slots.give_back();
  store.clear();
  CHECK(idle->slots.is_closed());
  CHECK_FALSE(busy->slots.is_closed());
  CHECK(store.find(peer).is_maker);
}

TEST_CASE("H2Store: all threads at once share few connections", "[h2store]") {
  H2Store store(8, 1min);
  HttpPeer peer = peer_with(4);
  auto work = [&] {
    for (int i = 0; i < 500; ++i) {
      auto found = store.find(peer);
      if (found.is_maker) {
        auto connection = std::make_shared<Slots>(4);
        store.made(found.making, connection);
        found.connection = connection;
      } else if (found.making != nullptr) {
        while (!found.making->done.is_set()) std::this_thread::yield();
        continue;
      }
      auto& slots = static_cast<Slots&>(*found.connection).slots;
      if (i % 50 == 49) slots.close();
      slots.give_back();
      if (i % 10 == 0) store.expire(coarse_now());
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  }
  auto stats = store.stats();
  CHECK(stats.made >= 10);
  CHECK(stats.made <= 60);
  CHECK(stats.hits > stats.made);
}
