// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "pingora/base/mutex.h"
#include "pingora/upstream/connection_pool.h"

namespace pingora::internal {

/// Idle connections of one key in one shard, the most recently used first. Never empty while it is
/// in the table; its key is that of any of them.
struct PoolGroup : ListHook {
  std::size_t hash = 0;
  std::uint64_t life = 0;  // counts the keys that it has had
  IntrusiveList<PoolKeyHook> connections;
  const PeerKey& key() noexcept {
    return static_cast<PooledConnection*>(connections.front())->key();
  }
};

/// A part of a ConnectionPool: a hash table of groups and one list of all connections by age.
///
/// Functions are called with `mutex` held, except those that say otherwise. Nothing of a connection
/// or its stream is called under the mutex, because a stream calls here under locks of its own.
class alignas(64) PoolShard {
 public:
  PoolShard();
  PoolShard(const PoolShard&) = delete;
  PoolShard& operator=(const PoolShard&) = delete;

  Mutex mutex;

  /// Takes the most recently used connection with that key out; null if there is none.
  PooledConnection* take(const PeerKey& key);
  void add(PooledConnection& connection);
  /// Takes out `connection`, which is in this shard.
  void remove(PooledConnection& connection);
  /// The connection that is idle for the longest, or null.
  PooledConnection* oldest() noexcept { return static_cast<PooledConnection*>(by_age_.front()); }
  PooledConnection* next_younger(PooledConnection& connection) noexcept;

  // Counted here where the mutex is held anyway.
  std::uint64_t hits = 0;
  std::uint64_t discarded = 0;
  // Connections that were in this shard and that an event has given to ConnectionPool::look_at.
  std::size_t looked_at = 0;
  std::condition_variable_any nobody_looks;

  // Without the mutex, as a hint.

  /// Whether there may be a connection whose key has this hash. Exact about "no", but for what
  /// changes at the same time.
  bool may_have(std::size_t hash) const noexcept {
    return presence_[presence_index(hash)].load(std::memory_order_relaxed) != 0;
  }
  /// When the oldest connection was released; kNever if there is none.
  TimePoint oldest_release() const noexcept {
    return TimePoint(Duration(oldest_release_.load(std::memory_order_relaxed)));
  }
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  std::size_t reserve() const noexcept { return reserve_.load(std::memory_order_relaxed); }

  // The reserve: slots of the pool's capacity that this shard may fill without asking.

  bool take_reserve() noexcept;
  void add_reserve(std::size_t slots) noexcept { add_to(reserve_, slots); }

 private:
  static constexpr std::size_t kPresenceSlots = 256;
  static std::size_t presence_index(std::size_t hash) noexcept {
    return (hash >> 32) % kPresenceSlots;
  }
  // Written under the mutex only, so that no read-modify-write is needed.
  template <class T>
  static void add_to(std::atomic<T>& value, T change) noexcept {
    value.store(static_cast<T>(value.load(std::memory_order_relaxed) + change),
                std::memory_order_relaxed);
  }
  IntrusiveList<PoolGroup>& bucket(std::size_t hash) noexcept {
    return buckets_[hash & (bucket_count_ - 1)];
  }
  PoolGroup* find(const PeerKey& key) noexcept;
  PoolGroup& find_or_add(PooledConnection& connection);
  void grow_table();
  void note_oldest() noexcept;

  const std::uint64_t id_;  // no other shard ever has the same
  std::size_t bucket_count_;
  std::unique_ptr<IntrusiveList<PoolGroup>[]> buckets_;
  std::deque<PoolGroup> groups_;            // all there are: an address for each
  IntrusiveList<PoolGroup> unused_groups_;  // those that are in no bucket
  std::size_t used_group_count_ = 0;
  IntrusiveList<PoolAgeHook> by_age_;  // most recently released last

  // Read by the other workers when they have no connection themselves.
  alignas(64) std::atomic<std::size_t> size_{0};
  std::atomic<std::size_t> reserve_{0};
  std::atomic<TimePoint::rep> oldest_release_;
  std::array<std::atomic<std::uint32_t>, kPresenceSlots> presence_{};
};

}  // namespace pingora::internal
