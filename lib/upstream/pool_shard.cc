// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pool_shard.h"

#include "pingora/base/assert.h"

namespace pingora::internal {
namespace {
constexpr std::size_t kBucketsMin = 64;  // a power of two

std::uint64_t next_shard_id() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}
}  // namespace

PoolShard::PoolShard()
    : id_(next_shard_id()),
      bucket_count_(kBucketsMin),
      buckets_(std::make_unique<IntrusiveList<PoolGroup>[]>(kBucketsMin)),
      oldest_release_(kNever.time_since_epoch().count()) {}

PoolGroup* PoolShard::find(const PeerKey& key) noexcept {
  IntrusiveList<PoolGroup>& chain = bucket(key.hash());
  for (PoolGroup* group = chain.front(); group != nullptr; group = chain.next(*group)) {
    if (group->hash == key.hash() && group->key() == key) return group;
  }
  return nullptr;
}

PoolGroup& PoolShard::find_or_add(PooledConnection& connection) {
  // Most come back to the group that they were in last, of which no other key has had the place:
  // nothing is to be compared.
  PoolGroup* last = nullptr;
  if (connection.last_shard_id_ == id_ &&
      connection.last_group_->life == connection.last_group_life_) {
    last = connection.last_group_;
    if (!last->connections.empty()) return *last;
  }
  const PeerKey& key = connection.key();
  if (PoolGroup* found = find(key)) return *found;
  if (used_group_count_ >= bucket_count_) grow_table();
  PoolGroup* group = last;
  if (group != nullptr) {
    group->unlink();  // from the unused ones
  } else {
    group = unused_groups_.pop_front();
    if (group == nullptr) group = &groups_.emplace_back();
    group->hash = key.hash();
    ++group->life;
  }
  bucket(key.hash()).push_front(*group);
  ++used_group_count_;
  return *group;
}

void PoolShard::grow_table() {
  std::size_t old_count = bucket_count_;
  auto old_buckets = std::move(buckets_);
  bucket_count_ = old_count * 2;
  buckets_ = std::make_unique<IntrusiveList<PoolGroup>[]>(bucket_count_);
  for (std::size_t i = 0; i < old_count; ++i) {
    while (PoolGroup* group = old_buckets[i].pop_front()) bucket(group->hash).push_front(*group);
  }
}

PooledConnection* PoolShard::take(const PeerKey& key) {
  PoolGroup* group = find(key);
  if (group == nullptr) return nullptr;
  auto* connection = static_cast<PooledConnection*>(group->connections.front());
  remove(*connection);
  return connection;
}

void PoolShard::add(PooledConnection& connection) {
  PINGORA_DEBUG_ASSERT(connection.group_ == nullptr);
  PoolGroup& group = find_or_add(connection);
  connection.group_ = &group;
  connection.last_shard_id_ = id_;
  connection.last_group_ = &group;
  connection.last_group_life_ = group.life;
  group.connections.push_front(connection);
  by_age_.push_back(connection);
  add_to(presence_[presence_index(group.hash)], 1U);
  add_to(size_, std::size_t{1});
  note_oldest();
}

void PoolShard::remove(PooledConnection& connection) {
  PoolGroup& group = *connection.group_;
  connection.group_ = nullptr;
  connection.PoolKeyHook::unlink();
  connection.PoolAgeHook::unlink();
  add_to(presence_[presence_index(group.hash)], ~0U);
  add_to(size_, ~std::size_t{0});
  note_oldest();
  if (!group.connections.empty()) return;
  group.unlink();
  unused_groups_.push_front(group);
  --used_group_count_;
}

PooledConnection* PoolShard::next_younger(PooledConnection& connection) noexcept {
  return static_cast<PooledConnection*>(by_age_.next(connection));
}

bool PoolShard::take_reserve() noexcept {
  if (reserve() == 0) return false;
  add_to(reserve_, ~std::size_t{0});
  return true;
}

void PoolShard::note_oldest() noexcept {
  PooledConnection* last = oldest();
  TimePoint released = last != nullptr ? last->released_ : kNever;
  oldest_release_.store(released.time_since_epoch().count(), std::memory_order_relaxed);
}

}  // namespace pingora::internal
