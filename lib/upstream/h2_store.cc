// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// What a request finds, for each identity of a peer:
//
//   nothing, or all full --> it makes a connection ("making") --> made: others find it
//                              ^        |                    \--> failed: all who wait fail with it
//                              |        v
//   a making with room left -- waits    abandoned: whoever comes to look first makes one
//
// Invariants:
//  [room]  a making is joined by no more requests than the connection is expected to carry;
//  [lock]  under a shard's mutex no connection is destroyed, and none of those who wait is woken.
#include "h2_store.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace pingora::internal {

struct H2Store::Group {
  explicit Group(const HttpPeer& of) : peer(of), key(peer) {}
  bool is_unused() const noexcept {
    return connections.empty() && makings.empty() && h1_until == TimePoint::min();
  }

  const HttpPeer peer;
  const PeerKey key;  // of peer
  Connections connections;
  std::vector<std::shared_ptr<Making>> makings;
  TimePoint h1_until = TimePoint::min();
};

// One stream is the maker's.
H2Store::Making::Making(const HttpPeer& peer)
    : peer_(peer), key_(peer_), streams_left_(std::max(peer.options.max_h2_streams, 1U) - 1) {}

H2Store::H2Store(std::size_t capacity, Duration fallback_time)
    : capacity_(capacity), fallback_time_(fallback_time) {}

H2Store::~H2Store() = default;

H2Store::Group* H2Store::Shard::find(const PeerKey& key) noexcept {
  auto [first, last] = groups.equal_range(key.hash());
  for (auto each = first; each != last; ++each) {
    if (each->second->key == key) return each->second.get();
  }
  return nullptr;
}

H2Store::Group& H2Store::Shard::find_or_add(const HttpPeer& peer) {
  PeerKey key(peer);
  if (Group* group = find(key)) return *group;
  return *groups.emplace(key.hash(), std::make_unique<Group>(peer))->second;
}

void H2Store::Shard::forget_fallback(Group& group) noexcept {
  if (std::exchange(group.h1_until, TimePoint::min()) != TimePoint::min()) --fallbacks;
}

// The one that would be forgotten next.
void H2Store::Shard::make_room_for_fallback() noexcept {
  if (fallbacks < kFallbacksMax) return;
  auto remembered_until = [](const auto& each) {
    TimePoint until = each.second->h1_until;
    return until == TimePoint::min() ? kNever : until;
  };
  auto next = std::ranges::min_element(groups, {}, remembered_until);
  forget_fallback(*next->second);
  if (next->second->is_unused()) groups.erase(next);
}

H2Store::Found H2Store::find(const HttpPeer& peer) {
  PeerKey key(peer);
  Connections gone;  // destroyed behind the lock
  Shard& shard = shard_of(key.hash());
  std::lock_guard lock(shard.mutex);
  Group* group = shard.find(key);
  if (group != nullptr) {
    if (auto connection = take_stream(shard, *group, gone)) {
      ++shard.stats.hits;
      return {.connection = std::move(connection)};
    }
    if (group->h1_until > coarse_now()) return {.prefers_h1 = true};
    shard.forget_fallback(*group);
    for (const auto& making : group->makings) {
      if (making->streams_left_ == 0) continue;
      --making->streams_left_;
      ++shard.stats.waits;
      return {.making = making};
    }
  } else {
    group = &shard.find_or_add(peer);
  }
  group->makings.push_back(std::make_shared<Making>(peer));
  return {.making = group->makings.back(), .is_maker = true};
}

// Of the first connection that has one free, so that those behind it become idle.
std::shared_ptr<SharedConnection> H2Store::take_stream(Shard& shard, Group& group,
                                                       Connections& gone) {
  std::shared_ptr<SharedConnection> found;
  std::erase_if(group.connections, [&](std::shared_ptr<SharedConnection>& each) {
    if (found != nullptr) return false;
    if (each->try_take_stream()) {
      found = each;
      return false;
    }
    if (!each->is_closed_to_streams()) return false;
    ++shard.stats.discarded;
    gone.push_back(std::move(each));
    return true;
  });
  return found;
}

void H2Store::end(Shard& shard, const std::shared_ptr<Making>& making) {
  Group* group = shard.find(making->key_);
  if (group == nullptr) return;
  std::erase(group->makings, making);
  if (group->is_unused()) {
    auto [first, last] = shard.groups.equal_range(making->key_.hash());
    shard.groups.erase(std::find_if(
        first, last, [group](const auto& each) { return each.second.get() == group; }));
  }
}

void H2Store::made(const std::shared_ptr<Making>& making,
                   std::shared_ptr<SharedConnection> connection) {
  Shard& shard = shard_of(making->key_.hash());
  {
    std::lock_guard lock(shard.mutex);
    ++shard.stats.made;
    shard.find_or_add(making->peer_).connections.push_back(std::move(connection));
    end(shard, making);
  }
  making->done.set();
}

void H2Store::failed(const std::shared_ptr<Making>& making, const Error& error) {
  Shard& shard = shard_of(making->key_.hash());
  {
    std::lock_guard lock(shard.mutex);
    end(shard, making);
    making->error_.emplace(error.clone());
  }
  making->done.set();
}

void H2Store::abandoned(const std::shared_ptr<Making>& making) {
  Shard& shard = shard_of(making->key_.hash());
  {
    std::lock_guard lock(shard.mutex);
    end(shard, making);
  }
  making->done.set();
}

void H2Store::note_h1_only(const HttpPeer& peer) {
  Shard& shard = shard_of(PeerKey(peer).hash());
  std::lock_guard lock(shard.mutex);
  ++shard.stats.fallbacks;
  Group& group = shard.find_or_add(peer);
  shard.forget_fallback(group);
  shard.make_room_for_fallback();
  // Making room may not have taken this group: it remembers nothing at the moment, and is kept by
  // what it remembers from here on.
  group.h1_until = coarse_now() + fallback_time_;
  ++shard.fallbacks;
}

void H2Store::remove(const HttpPeer& peer, const SharedConnection& connection) {
  PeerKey key(peer);
  Shard& shard = shard_of(key.hash());
  std::shared_ptr<SharedConnection> gone;
  std::lock_guard lock(shard.mutex);
  Group* group = shard.find(key);
  if (group == nullptr) return;
  auto found =
      std::ranges::find(group->connections, &connection, &std::shared_ptr<SharedConnection>::get);
  if (found == group->connections.end()) return;
  gone = std::move(*found);
  group->connections.erase(found);
}

void H2Store::expire(TimePoint now) {
  for (Shard& shard : shards_) {
    Connections gone;
    std::lock_guard lock(shard.mutex);
    for (auto each = shard.groups.begin(); each != shard.groups.end();) {
      Group& group = *each->second;
      if (group.h1_until <= now) shard.forget_fallback(group);
      std::erase_if(group.connections, [&](std::shared_ptr<SharedConnection>& connection) {
        bool is_late = connection->is_idle() && connection->expiry() <= now;
        bool expires = is_late && connection->close_if_idle();
        if (expires) ++shard.stats.expired;
        if (!expires && !connection->is_closed_to_streams()) return false;
        gone.push_back(std::move(connection));
        return true;
      });
      each = group.is_unused() ? shard.groups.erase(each) : std::next(each);
    }
  }
  std::size_t idle = size().idle;
  if (idle > capacity_) shed(idle - capacity_);
}

std::size_t H2Store::shed(std::size_t count) {
  // The oldest first; what becomes busy meanwhile is passed over.
  Connections idle;
  for (Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    for (const auto& [hash, group] : shard.groups) {
      for (const auto& each : group->connections) {
        if (each->is_idle()) idle.push_back(each);
      }
    }
  }
  std::ranges::sort(idle, {}, [](const auto& each) { return each->idle_since(); });
  std::size_t done = 0;
  for (const auto& each : idle) {
    if (done == count) break;
    if (each->close_if_idle()) ++done;
  }
  std::lock_guard lock(shards_[0].mutex);
  shards_[0].stats.evicted += done;
  return done;
}

void H2Store::clear() {
  for (Shard& shard : shards_) {
    Connections gone;
    std::lock_guard lock(shard.mutex);
    for (const auto& [hash, group] : shard.groups) {
      for (auto& each : group->connections) {
        each->close_if_idle();
        gone.push_back(std::move(each));
      }
      group->connections.clear();
    }
  }
}

H2Store::Size H2Store::size() const {
  Size size;
  for (const Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    for (const auto& [hash, group] : shard.groups) {
      for (const auto& each : group->connections) {
        if (each->is_closed_to_streams()) continue;
        ++size.connections;
        if (each->is_idle()) ++size.idle;
      }
    }
  }
  return size;
}

H2StoreStats H2Store::stats() const {
  H2StoreStats sum;
  for (const Shard& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    sum.made += shard.stats.made;
    sum.hits += shard.stats.hits;
    sum.waits += shard.stats.waits;
    sum.discarded += shard.stats.discarded;
    sum.evicted += shard.stats.evicted;
    sum.expired += shard.stats.expired;
    sum.fallbacks += shard.stats.fallbacks;
  }
  return sum;
}

}  // namespace pingora::internal
