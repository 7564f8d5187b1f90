// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pingora/base/intrusive_list.h"

namespace pingora {

struct LruOptions {
  /// What the weights of all items may add up to.
  std::size_t weight_max = 0;
  /// How many items there may be. Default: any number.
  std::size_t items_max = SIZE_MAX;
  /// Parts, each with a lock and an order of its own, that the items are spread over by key. At
  /// least 1.
  std::size_t shards = 16;
};

/// Which of many weighted items were not used for the longest time. Answers to Pingora's `Lru`.
///
/// The order is exact within a shard; items are evicted from shards at random, the fuller of two
/// rather than the other. Items are known by a key of 64 bits, a hash as a rule: two things with
/// the same key are the same item. A weight of 0 counts as 1.
///
/// Nothing is evicted until `evict_to_limit` is called. Any thread may call anything; a call locks
/// one shard at a time. Values are destroyed without a lock held. Neither copies nor moves.
template <class T>
class Lru {
 public:
  struct Item {
    std::uint64_t key = 0;
    T value;
    std::size_t weight = 0;
  };

  explicit Lru(const LruOptions& options)
      : options_(options),
        shard_count_(std::max<std::size_t>(options.shards, 1)),
        shards_(std::make_unique<Shard[]>(shard_count_)) {}
  Lru(const Lru&) = delete;
  Lru& operator=(const Lru&) = delete;

  /// Adds an item as the one used last, or replaces the one of this key.
  void admit(std::uint64_t key, T value, std::size_t weight) {
    weight = std::max<std::size_t>(weight, 1);
    std::optional<T> replaced;  // destroyed behind the lock
    Shard& shard = shard_of(key);
    std::lock_guard lock(shard.mutex);
    auto [entry, added] = shard.nodes.try_emplace(key, key, weight);
    Node& node = entry->second;
    if (added) {
      count_in(shard, weight);
    } else {
      replaced = std::move(node.value);
      weight_.fetch_add(weight - node.weight, std::memory_order_relaxed);  // wraps if it is less
      node.weight = weight;
      node.unlink();
    }
    node.value = std::move(value);
    shard.order.push_front(node);
  }

  /// Adds an item as the one that goes first, such as one read from a saved state. False, and
  /// nothing is changed, if there is one of this key.
  bool insert_tail(std::uint64_t key, T value, std::size_t weight) {
    weight = std::max<std::size_t>(weight, 1);
    Shard& shard = shard_of(key);
    std::lock_guard lock(shard.mutex);
    auto [entry, added] = shard.nodes.try_emplace(key, key, weight);
    if (!added) return false;
    entry->second.value = std::move(value);
    count_in(shard, weight);
    shard.order.push_back(entry->second);
    return true;
  }

  /// Makes an item the one used last. False if there is none of this key.
  bool promote(std::uint64_t key) {
    Shard& shard = shard_of(key);
    std::lock_guard lock(shard.mutex);
    auto entry = shard.nodes.find(key);
    if (entry == shard.nodes.end()) return false;
    if (shard.order.front() != &entry->second) {
      entry->second.unlink();
      shard.order.push_front(entry->second);
    }
    return true;
  }

  /// Makes an item heavier by `delta`, up to `weight_max`, and returns its weight. Never makes it
  /// lighter. Its place in the order stays.
  std::optional<std::size_t> increment_weight(std::uint64_t key, std::size_t delta,
                                              std::size_t weight_max = SIZE_MAX) {
    Shard& shard = shard_of(key);
    std::lock_guard lock(shard.mutex);
    auto entry = shard.nodes.find(key);
    if (entry == shard.nodes.end()) return std::nullopt;
    std::size_t& weight = entry->second.weight;
    std::size_t room = weight_max > weight ? weight_max - weight : 0;
    std::size_t more = std::min(delta, room);
    weight += more;
    weight_.fetch_add(more, std::memory_order_relaxed);
    return weight;
  }

  /// Takes an item out.
  std::optional<Item> remove(std::uint64_t key) {
    Shard& shard = shard_of(key);
    std::lock_guard lock(shard.mutex);
    auto entry = shard.nodes.find(key);
    if (entry == shard.nodes.end()) return std::nullopt;
    return take(shard, entry);
  }

  /// Calls `look(const T&, weight)` for an item, with its shard locked, and leaves its place in the
  /// order. False if there is none of this key.
  template <class Look>
  bool peek(std::uint64_t key, Look&& look) const {
    const Shard& shard = shard_of(key);
    std::lock_guard lock(shard.mutex);
    auto entry = shard.nodes.find(key);
    if (entry == shard.nodes.end()) return false;
    look(*entry->second.value, entry->second.weight);
    return true;
  }
  bool contains(std::uint64_t key) const {
    return peek(key, [](const T&, std::size_t) {});
  }

  /// Evicts items until both limits hold, and returns them.
  std::vector<Item> evict_to_limit() {
    std::vector<Item> evicted;
    while (weight() > options_.weight_max || size() > options_.items_max) {
      std::optional<Item> item = evict_one();
      if (!item) break;
      evicted_weight_.fetch_add(item->weight, std::memory_order_relaxed);
      evicted_items_.fetch_add(1, std::memory_order_relaxed);
      evicted.push_back(*std::move(item));
    }
    return evicted;
  }

  /// Calls `visit(key, const T&, weight)` for the items of one shard, with it locked, from the one
  /// used last on.
  template <class Visit>
  void for_each(std::size_t shard_index, Visit&& visit) const {
    Shard& shard = shards_[shard_index];
    std::lock_guard lock(shard.mutex);
    for (Node* node = shard.order.front(); node != nullptr; node = shard.order.next(*node)) {
      visit(node->key, std::as_const(*node->value), node->weight);
    }
  }

  std::size_t shard_count() const noexcept { return shard_count_; }
  std::size_t shard_index_of(std::uint64_t key) const noexcept {
    // Keys may be multiples of something: the high bits of a product depend on all of theirs.
    return static_cast<std::size_t>(
        (static_cast<unsigned __int128>(key * 0x9e3779b97f4a7c15ULL) * shard_count_) >> 64);
  }
  std::size_t size() const noexcept { return items_.load(std::memory_order_relaxed); }
  std::size_t weight() const noexcept { return weight_.load(std::memory_order_relaxed); }
  /// What `evict_to_limit` has evicted so far.
  std::uint64_t evicted_items() const noexcept {
    return evicted_items_.load(std::memory_order_relaxed);
  }
  std::uint64_t evicted_weight() const noexcept {
    return evicted_weight_.load(std::memory_order_relaxed);
  }

 private:
  struct Node : ListHook {
    Node(std::uint64_t key, std::size_t weight) noexcept : key(key), weight(weight) {}
    std::uint64_t key;
    std::size_t weight;
    std::optional<T> value;  // always there once the shard is unlocked
  };
  using Nodes = std::unordered_map<std::uint64_t, Node>;
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Nodes nodes;                        // guarded by mutex
    IntrusiveList<Node> order;          // guarded by mutex; the one used last is in front
    std::atomic<std::size_t> items{0};  // nodes.size(), for who looks from outside
  };

  Shard& shard_of(std::uint64_t key) const noexcept { return shards_[shard_index_of(key)]; }

  void count_in(Shard& shard, std::size_t weight) noexcept {
    shard.items.fetch_add(1, std::memory_order_relaxed);
    items_.fetch_add(1, std::memory_order_relaxed);
    weight_.fetch_add(weight, std::memory_order_relaxed);
  }

  // The caller has locked `shard`.
  Item take(Shard& shard, typename Nodes::iterator entry) {
    Node& node = entry->second;
    Item item{node.key, *std::move(node.value), node.weight};
    node.unlink();
    shard.nodes.erase(entry);
    shard.items.fetch_sub(1, std::memory_order_relaxed);
    items_.fetch_sub(1, std::memory_order_relaxed);
    weight_.fetch_sub(item.weight, std::memory_order_relaxed);
    return item;
  }

  // The item that goes first in the fuller of two random shards, or, where that is empty, in the
  // next one that is not.
  std::optional<Item> evict_one() {
    std::uint64_t random = random_.fetch_add(0x9e3779b97f4a7c15ULL, std::memory_order_relaxed);
    random = (random ^ (random >> 30)) * 0xbf58476d1ce4e5b9ULL;
    random ^= random >> 27;
    std::size_t first = static_cast<std::size_t>(random & 0xffffffff) % shard_count_;
    std::size_t second = static_cast<std::size_t>(random >> 32) % shard_count_;
    if (shards_[second].items.load(std::memory_order_relaxed) >
        shards_[first].items.load(std::memory_order_relaxed)) {
      first = second;
    }
    for (std::size_t i = 0; i < shard_count_; ++i) {
      Shard& shard = shards_[(first + i) % shard_count_];
      std::lock_guard lock(shard.mutex);
      Node* oldest = shard.order.back();
      if (oldest != nullptr) return take(shard, shard.nodes.find(oldest->key));
    }
    return std::nullopt;
  }

  const LruOptions options_;
  const std::size_t shard_count_;
  const std::unique_ptr<Shard[]> shards_;
  std::atomic<std::size_t> items_{0};
  std::atomic<std::size_t> weight_{0};
  std::atomic<std::uint64_t> evicted_items_{0};
  std::atomic<std::uint64_t> evicted_weight_{0};
  std::atomic<std::uint64_t> random_{0x2545f4914f6cdd1dULL};
};

}  // namespace pingora
