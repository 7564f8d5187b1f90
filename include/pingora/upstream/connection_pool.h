// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "pingora/base/clock.h"
#include "pingora/base/intrusive_list.h"
#include "pingora/net/stream.h"
#include "pingora/runtime/descriptor.h"
#include "pingora/upstream/http_peer.h"

namespace pingora {

class ConnectionPool;
namespace internal {
class PoolShard;
struct PoolGroup;
// A pooled connection is in two lists at once.
struct PoolAgeHook : ListHook {};
struct PoolKeyHook : ListHook {};
}  // namespace internal

/// A connection that a ConnectionPool can keep while nobody uses it; derive the connection from
/// this. The pool keeps its books in it, so that keeping and giving allocate nothing.
class PooledConnection : internal::PoolAgeHook, internal::PoolKeyHook, IdleWatch {
 public:
  /// `peer` is whom it is connected to, and by that what it may be reused for; copied. It waits in
  /// `worker`.
  PooledConnection(const HttpPeer& peer, Worker& worker);
  virtual ~PooledConnection();

  /// The peer as it was when the connection was made.
  const HttpPeer& peer() const noexcept { return peer_; }
  const PeerKey& key() const noexcept { return key_; }
  /// How often the pool has given it.
  std::uint32_t reuse_count() const noexcept { return reuse_count_; }

 protected:
  /// The stream that is watched and moved.
  virtual Stream& pooled_stream() noexcept = 0;

 private:
  friend class ConnectionPool;
  friend class internal::PoolShard;
  friend struct internal::PoolGroup;
  std::shared_ptr<void> on_idle_event() noexcept override;

  const HttpPeer peer_;
  const PeerKey key_;  // of peer_
  Worker* worker_;
  std::uint32_t reuse_count_ = 0;
  // From here on guarded by the mutex of shard_, which is set before the watch begins.
  bool is_gone_ = false;  // the watch has reported something while it was in no shard
  TimePoint released_{};
  TimePoint expiry_{};
  ConnectionPool* pool_ = nullptr;  // set with shard_
  internal::PoolShard* shard_ = nullptr;
  internal::PoolGroup* group_ = nullptr;  // while it is idle in the pool
  // Where it was last: in which shard, in which group, and for which of that group's keys.
  std::uint64_t last_shard_id_ = 0;
  internal::PoolGroup* last_group_ = nullptr;
  std::uint64_t last_group_life_ = 0;
};

struct ConnectionPoolOptions {
  /// Idle connections kept, over all shards. 0 keeps none.
  std::size_t capacity = 128;
  /// One for each worker is best.
  std::size_t shards = 1;
};

/// What a pool has done since it was made.
struct ConnectionPoolStats {
  std::uint64_t hits = 0;       // connections given
  std::uint64_t misses = 0;     // times that there was none
  std::uint64_t moved = 0;      // of `hits`: from another worker's shard
  std::uint64_t discarded = 0;  // closed by the peer, or it sent something unasked
  std::uint64_t evicted = 0;    // to make room, or shed
  std::uint64_t expired = 0;    // idle for too long
};

/// Idle connections for reuse by whoever asks for an equal peer: shared by all workers.
///
/// A shard for each worker, with its own lock. A worker looks in its own shard first, then in those
/// of the others that may have something, and moves the socket of what it finds there; most
/// recently used first. One capacity and one age order hold over all shards: when the pool is full,
/// the connection that is idle for the longest goes, whichever shard it is in (to within 4 ms, the
/// resolution of `coarse_now`). Idle connections are watched, and gone from the pool as soon as the
/// peer closes or sends anything; with TLS, anything but what concerns TLS alone, such as a session
/// ticket that comes late.
///
/// All functions may be called from any thread; connections are destroyed on the thread that finds
/// that they are to go.
class ConnectionPool {
 public:
  explicit ConnectionPool(ConnectionPoolOptions options);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;
  /// Closes what is idle. What is in use may outlive the pool.
  ~ConnectionPool();

  /// An idle connection with that key, which waits in `worker` from now on; null if there is none.
  std::unique_ptr<PooledConnection> get(const PeerKey& key, Worker& worker);
  /// Keeps `connection`, last used in a strand of `worker` and in the calling one, for
  /// `idle_timeout`. Closes it if that is 0, the capacity is, or the peer is gone.
  void put(std::unique_ptr<PooledConnection> connection, std::chrono::milliseconds idle_timeout,
           Worker& worker);

  /// Closes the `count` connections that are idle for the longest, to free descriptors. Returns how
  /// many there were.
  std::size_t shed(std::size_t count);
  /// Closes what has been idle for too long at `now`. To be called now and then; what is not
  /// expired by this is when it is met.
  void expire(TimePoint now);
  void clear();

  /// Idle connections.
  std::size_t size() const;
  std::size_t capacity() const noexcept { return capacity_; }
  ConnectionPoolStats stats() const;

 private:
  friend class PooledConnection;
  internal::PoolShard& shard_of(const Worker& worker) noexcept;
  bool make_usable(PooledConnection& connection, Worker& worker);
  static bool start_watch(PooledConnection& connection);
  void look_at(std::unique_ptr<PooledConnection> connection);
  void keep(std::unique_ptr<PooledConnection> connection, TimePoint now);
  void discard(std::unique_ptr<PooledConnection> connection, std::atomic<std::uint64_t>& counter);
  void return_slot(internal::PoolShard& shard) noexcept;
  bool take_free_slot() noexcept;
  void make_room();
  bool evict_oldest();

  const std::size_t capacity_;
  const std::size_t shard_count_;
  std::unique_ptr<internal::PoolShard[]> shards_;
  std::atomic<bool> is_closing_{false};
  // Slots of the capacity that no shard has, neither for a connection nor as a reserve.
  alignas(64) std::atomic<std::size_t> free_slots_;
  // Off the fast path: `hits` are counted in the shards.
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<std::uint64_t> failed_hits_{0};  // counted as hits, and then the peer was gone
  std::atomic<std::uint64_t> moved_{0};
  std::atomic<std::uint64_t> discarded_{0};
  std::atomic<std::uint64_t> evicted_{0};
  std::atomic<std::uint64_t> expired_{0};
};

}  // namespace pingora
