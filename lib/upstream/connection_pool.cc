// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Who owns a connection, and what takes it from one to the next:
//
//                put: watch        put: add             get, evict, expire: remove
//   its user ------------> watched ------------> idle -------------------------------> taken
//                             |                   |                                      |
//                        event| marks it          | event: removed and destroyed         | watch
//                             v                   v                                      | ended
//                        destroyed by put      (gone)         used, or destroyed <-------+
//
// With TLS, an event may be a session ticket, which is none of HTTP's business: the connection is
// then not destroyed by the event but `looked at` behind it, and put back if nothing else came.
//
// Invariants:
//  [one]   whoever removes a connection from its shard, under the shard's mutex, owns it;
//  [watch] the watch of a taken connection is ended, without the mutex, before it is used or
//          destroyed: an event that is being reported has then been, and nothing refers to it;
//  [slots] free slots, the shards' reserves and the idle connections together are the capacity.
#include "pingora/upstream/connection_pool.h"

#include <algorithm>
#include <mutex>

#include "pingora/base/assert.h"
#include "pool_shard.h"

namespace pingora {

using internal::PoolShard;

namespace {
// More than this in a shard's reserve goes back to where all can have it.
constexpr std::size_t kReserveMax = 4;
}  // namespace

PooledConnection::PooledConnection(const HttpPeer& peer, Worker& worker)
    : peer_(peer), key_(peer_), worker_(&worker) {}

PooledConnection::~PooledConnection() { PINGORA_ASSERT(group_ == nullptr); }

std::shared_ptr<void> PooledConnection::on_idle_event() noexcept {
  std::lock_guard lock(shard_->mutex);
  if (group_ == nullptr) {
    is_gone_ = true;
    return nullptr;
  }
  shard_->remove(*this);
  shard_->add_reserve(1);
  if (!peer_.is_tls()) {
    ++shard_->discarded;
    return std::shared_ptr<PooledConnection>(this);
  }
  // What is returned is destroyed when nothing is locked any more.
  ++shard_->looked_at;
  return {this, [pool = pool_](PooledConnection* connection) {
            pool->look_at(std::unique_ptr<PooledConnection>(connection));
          }};
}

ConnectionPool::ConnectionPool(ConnectionPoolOptions options)
    : capacity_(options.capacity),
      shard_count_(std::max<std::size_t>(options.shards, 1)),
      shards_(std::make_unique<PoolShard[]>(shard_count_)),
      free_slots_(options.capacity) {}

ConnectionPool::~ConnectionPool() {
  is_closing_.store(true, std::memory_order_relaxed);
  clear();
  // Lets an event that has just taken the last connection out of a shard leave it.
  for (std::size_t i = 0; i < shard_count_; ++i) {
    std::unique_lock lock(shards_[i].mutex);
    shards_[i].nobody_looks.wait(lock, [&shard = shards_[i]] { return shard.looked_at == 0; });
  }
  clear();  // what was put back meanwhile
}

PoolShard& ConnectionPool::shard_of(const Worker& worker) noexcept {
  return shards_[worker.index() % shard_count_];
}

void ConnectionPool::discard(std::unique_ptr<PooledConnection> connection,
                             std::atomic<std::uint64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
  [[maybe_unused]] bool was_quiet = connection->pooled_stream().stop_idle_watch();
}

bool ConnectionPool::make_usable(PooledConnection& connection, Worker& worker) {
  if (!connection.pooled_stream().stop_idle_watch()) return false;
  if (connection.worker_ != &worker) {
    if (!connection.pooled_stream().move_to(worker)) return false;
    connection.worker_ = &worker;
    moved_.fetch_add(1, std::memory_order_relaxed);
  }
  ++connection.reuse_count_;
  return true;
}

std::unique_ptr<PooledConnection> ConnectionPool::get(const PeerKey& key, Worker& worker) {
  const std::size_t own = worker.index() % shard_count_;
  const TimePoint now = coarse_now();
  for (std::size_t i = 0; i < shard_count_; ++i) {
    std::size_t index = own + i;
    PoolShard& shard = shards_[index < shard_count_ ? index : index - shard_count_];
    while (shard.may_have(key.hash())) {
      bool is_expired = false;
      std::unique_ptr<PooledConnection> connection;
      {
        std::lock_guard lock(shard.mutex);
        connection.reset(shard.take(key));
        if (connection == nullptr) break;
        is_expired = connection->expiry_ <= now;
        return_slot(shard);
        if (!is_expired) ++shard.hits;
      }
      if (is_expired) {
        discard(std::move(connection), expired_);
        continue;
      }
      if (make_usable(*connection, worker)) return connection;
      failed_hits_.fetch_add(1, std::memory_order_relaxed);
      discarded_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  misses_.fetch_add(1, std::memory_order_relaxed);
  return nullptr;
}

void ConnectionPool::put(std::unique_ptr<PooledConnection> connection,
                         std::chrono::milliseconds idle_timeout, Worker& worker) {
  if (capacity_ == 0 || idle_timeout <= std::chrono::milliseconds::zero()) return;
  const TimePoint now = coarse_now();
  connection->worker_ = &worker;
  connection->expiry_ = idle_timeout == kNoTimeout ? kNever : now + idle_timeout;
  keep(std::move(connection), now);
}

bool ConnectionPool::start_watch(PooledConnection& connection) {
  Stream& stream = connection.pooled_stream();
  if (stream.start_idle_watch(connection)) return true;
  if (!connection.peer().is_tls()) return false;
  // What came may be for TLS alone. Anything else is not wanted, the end of the stream included.
  Buffer unasked;
  stream.note_readable();
  return !stream.try_read(unasked) && stream.start_idle_watch(connection);
}

// An event has taken it out of its shard; nothing is locked.
void ConnectionPool::look_at(std::unique_ptr<PooledConnection> connection) {
  PoolShard& shard = *connection->shard_;
  Stream& stream = connection->pooled_stream();
  [[maybe_unused]] bool was_quiet = stream.stop_idle_watch();
  Buffer unasked;
  stream.note_readable();
  if (!is_closing_.load(std::memory_order_relaxed) && !stream.try_read(unasked)) {
    keep(std::move(connection), coarse_now());
  } else {
    connection.reset();
    discarded_.fetch_add(1, std::memory_order_relaxed);
  }
  std::lock_guard lock(shard.mutex);
  // Under the mutex: whoever waits for this destroys the shard.
  if (--shard.looked_at == 0) shard.nobody_looks.notify_all();
}

// Keeps it in its worker from `now` until `expiry_`.
void ConnectionPool::keep(std::unique_ptr<PooledConnection> connection, TimePoint now) {
  PoolShard& shard = shard_of(*connection->worker_);
  connection->pool_ = this;
  connection->shard_ = &shard;
  connection->is_gone_ = false;
  connection->released_ = now;
  if (!start_watch(*connection)) {
    discarded_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  std::unique_ptr<PooledConnection> expired;
  for (;;) {
    {
      std::lock_guard lock(shard.mutex);
      if (connection->is_gone_) break;
      if (shard.take_reserve() || take_free_slot()) {
        shard.add(*connection.release());
        // What was put in longest ago is the next to expire, unless timeouts differ.
        PooledConnection* oldest = shard.oldest();
        if (oldest->expiry_ > now) return;
        shard.remove(*oldest);
        return_slot(shard);
        expired.reset(oldest);
      }
    }
    if (connection == nullptr) return discard(std::move(expired), expired_);
    make_room();
  }
  discard(std::move(connection), discarded_);
}

// With the shard's mutex held: the slot of a connection that was removed stays with the shard,
// which will most likely soon need it again.
void ConnectionPool::return_slot(PoolShard& shard) noexcept {
  shard.add_reserve(1);
  if (shard.reserve() <= kReserveMax) return;
  shard.add_reserve(~std::size_t{0});
  free_slots_.fetch_add(1, std::memory_order_relaxed);
}

bool ConnectionPool::take_free_slot() noexcept {
  std::size_t free = free_slots_.load(std::memory_order_relaxed);
  while (free != 0) {
    if (free_slots_.compare_exchange_weak(free, free - 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

// Makes one slot free: out of a reserve, or by closing the oldest connection.
void ConnectionPool::make_room() {
  for (std::size_t i = 0; i < shard_count_; ++i) {
    PoolShard& shard = shards_[i];
    if (shard.reserve() == 0) continue;
    std::lock_guard lock(shard.mutex);
    if (!shard.take_reserve()) continue;
    free_slots_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  evict_oldest();
}

bool ConnectionPool::evict_oldest() {
  PoolShard* first = &shards_[0];
  for (std::size_t i = 1; i < shard_count_; ++i) {
    if (shards_[i].oldest_release() < first->oldest_release()) first = &shards_[i];
  }
  std::unique_ptr<PooledConnection> oldest;
  {
    std::lock_guard lock(first->mutex);
    oldest.reset(first->oldest());
    if (oldest == nullptr) return false;
    first->remove(*oldest);
    free_slots_.fetch_add(1, std::memory_order_relaxed);
  }
  discard(std::move(oldest), evicted_);
  return true;
}

std::size_t ConnectionPool::shed(std::size_t count) {
  std::size_t done = 0;
  while (done < count && (evict_oldest() || size() != 0)) ++done;
  return done;
}

void ConnectionPool::expire(TimePoint now) {
  for (std::size_t i = 0; i < shard_count_; ++i) {
    PoolShard& shard = shards_[i];
    IntrusiveList<internal::PoolAgeHook> expired;
    {
      std::lock_guard lock(shard.mutex);
      for (PooledConnection* each = shard.oldest(); each != nullptr;) {
        PooledConnection* next = shard.next_younger(*each);
        if (each->expiry_ <= now) {
          shard.remove(*each);
          return_slot(shard);
          expired.push_back(*each);
        }
        each = next;
      }
    }
    while (auto* each = static_cast<PooledConnection*>(expired.pop_front())) {
      discard(std::unique_ptr<PooledConnection>(each), expired_);
    }
  }
}

void ConnectionPool::clear() {
  while (evict_oldest() || size() != 0) {
  }
}

std::size_t ConnectionPool::size() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < shard_count_; ++i) sum += shards_[i].size();
  return sum;
}

ConnectionPoolStats ConnectionPool::stats() const {
  ConnectionPoolStats stats;
  stats.misses = misses_.load(std::memory_order_relaxed);
  stats.moved = moved_.load(std::memory_order_relaxed);
  stats.discarded = discarded_.load(std::memory_order_relaxed);
  stats.evicted = evicted_.load(std::memory_order_relaxed);
  stats.expired = expired_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < shard_count_; ++i) {
    std::lock_guard lock(shards_[i].mutex);
    stats.hits += shards_[i].hits;
    stats.discarded += shards_[i].discarded;
  }
  stats.hits -= failed_hits_.load(std::memory_order_relaxed);
  return stats;
}

}  // namespace pingora
