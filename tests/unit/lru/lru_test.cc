// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/lru/lru.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using pingora::Lru;
using pingora::LruOptions;

namespace {

// Keys of one shard from the one used last on.
template <class T>
std::vector<std::uint64_t> order(const Lru<T>& lru, std::size_t shard = 0) {
  std::vector<std::uint64_t> keys;
  lru.for_each(shard, [&keys](std::uint64_t key, const T&, std::size_t) { keys.push_back(key); });
  return keys;
}

using Keys = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("Lru: the item used last is in front", "[lru]") {
  Lru<std::string> lru({.weight_max = 100, .shards = 1});
  lru.admit(1, "a", 10);
  lru.admit(2, "b", 20);
  lru.admit(3, "c", 30);
  CHECK(order(lru) == Keys{3, 2, 1});
  CHECK(lru.size() == 3);
  CHECK(lru.weight() == 60);
  CHECK(lru.promote(1));
  CHECK(order(lru) == Keys{1, 3, 2});
  CHECK(lru.promote(1));
  CHECK(order(lru) == Keys{1, 3, 2});
  CHECK_FALSE(lru.promote(9));
}

TEST_CASE("Lru: admitting a key again replaces the item and uses it", "[lru]") {
  Lru<std::string> lru({.weight_max = 100, .shards = 1});
  lru.admit(1, "a", 10);
  lru.admit(2, "b", 20);
  lru.admit(1, "A", 3);
  CHECK(order(lru) == Keys{1, 2});
  CHECK(lru.weight() == 23);
  lru.admit(1, "AA", 50);
  CHECK(lru.weight() == 70);
  CHECK(lru.size() == 2);
  CHECK(lru.peek(1, [](const std::string& value, std::size_t weight) {
    CHECK(value == "AA");
    CHECK(weight == 50);
  }));
}

TEST_CASE("Lru: a look changes no order", "[lru]") {
  Lru<int> lru({.weight_max = 10, .shards = 1});
  lru.admit(1, 11, 1);
  lru.admit(2, 12, 1);
  CHECK(lru.contains(1));
  CHECK_FALSE(lru.contains(3));
  CHECK(order(lru) == Keys{2, 1});
}

TEST_CASE("Lru: evicts from the end until the weight fits", "[lru]") {
  Lru<int> lru({.weight_max = 10, .shards = 1});
  for (int key = 1; key <= 4; ++key) lru.admit(static_cast<std::uint64_t>(key), key, 4);
  CHECK(lru.weight() == 16);
  auto evicted = lru.evict_to_limit();
  REQUIRE(evicted.size() == 2);
  CHECK(evicted[0].key == 1);
  CHECK(evicted[0].value == 1);
  CHECK(evicted[0].weight == 4);
  CHECK(evicted[1].key == 2);
  CHECK(order(lru) == Keys{4, 3});
  CHECK(lru.evicted_items() == 2);
  CHECK(lru.evicted_weight() == 8);
  CHECK(lru.evict_to_limit().empty());
}

TEST_CASE("Lru: the weight below, at and above the limit", "[lru]") {
  Lru<int> lru({.weight_max = 10, .shards = 1});
  lru.admit(1, 1, 9);
  CHECK(lru.evict_to_limit().empty());
  lru.admit(2, 2, 1);
  CHECK(lru.evict_to_limit().empty());
  lru.admit(3, 3, 1);
  CHECK(lru.evict_to_limit().size() == 1);
  CHECK(order(lru) == Keys{3, 2});
}

TEST_CASE("Lru: the number of items below, at and above the limit", "[lru]") {
  Lru<int> lru({.weight_max = 1000, .items_max = 2, .shards = 1});
  for (std::uint64_t key : {1, 2}) {
    lru.admit(key, 0, 1);
    CHECK(lru.evict_to_limit().empty());
  }
  lru.admit(3, 0, 1);
  CHECK(lru.evict_to_limit().size() == 1);
  CHECK(order(lru) == Keys{3, 2});
}

TEST_CASE("Lru: an item heavier than everything goes too", "[lru]") {
  Lru<int> lru({.weight_max = 10});
  lru.admit(1, 1, 11);
  CHECK(lru.evict_to_limit().size() == 1);
  CHECK(lru.size() == 0);
  CHECK(lru.weight() == 0);
}

TEST_CASE("Lru: no weight counts as one", "[lru]") {
  Lru<int> lru({.weight_max = 10});
  lru.admit(1, 1, 0);
  CHECK(lru.insert_tail(2, 2, 0));
  CHECK(lru.weight() == 2);
}

TEST_CASE("Lru: insert_tail puts an item where it goes first", "[lru]") {
  Lru<int> lru({.weight_max = 10, .shards = 1});
  lru.admit(1, 1, 1);
  CHECK(lru.insert_tail(2, 2, 1));
  CHECK(lru.insert_tail(3, 3, 1));
  CHECK_FALSE(lru.insert_tail(1, 9, 5));
  CHECK(order(lru) == Keys{1, 2, 3});
  CHECK(lru.weight() == 3);
  CHECK(lru.peek(1, [](int value, std::size_t) { CHECK(value == 1); }));
}

TEST_CASE("Lru: weights grow up to a bound and never shrink", "[lru]") {
  Lru<int> lru({.weight_max = 100, .shards = 1});
  lru.admit(1, 1, 5);
  lru.admit(2, 2, 5);
  CHECK(lru.increment_weight(1, 3) == 8);
  CHECK(lru.increment_weight(1, 10, 12) == 12);
  CHECK(lru.increment_weight(1, 10, 11) == 12);
  CHECK(lru.increment_weight(9, 1) == std::nullopt);
  CHECK(lru.weight() == 17);
  CHECK(order(lru) == Keys{2, 1});
}

TEST_CASE("Lru: remove takes an item out", "[lru]") {
  Lru<std::unique_ptr<int>> lru({.weight_max = 10});
  lru.admit(1, std::make_unique<int>(7), 2);
  auto item = lru.remove(1);
  REQUIRE(item.has_value());
  CHECK(*item->value == 7);
  CHECK(item->weight == 2);
  CHECK_FALSE(lru.remove(1).has_value());
  CHECK(lru.size() == 0);
  CHECK(lru.weight() == 0);
  CHECK(lru.evicted_items() == 0);
}

TEST_CASE("Lru: keys are spread over the shards, regular ones too", "[lru]") {
  for (std::uint64_t step : {1ULL, 16ULL, 1ULL << 32, 1ULL << 60}) {
    Lru<int> lru({.weight_max = 100'000, .shards = 8});
    std::uint64_t keys = step == 1ULL << 60 ? 16 : 8000;
    for (std::uint64_t i = 0; i < keys; ++i) lru.admit(i * step, 0, 1);
    std::size_t largest = 0;
    for (std::size_t shard = 0; shard < lru.shard_count(); ++shard) {
      largest = std::max(largest, order(lru, shard).size());
    }
    CHECK(largest <= keys / 8 * 2);
  }
}

TEST_CASE("Lru: evicts evenly from all shards", "[lru]") {
  Lru<int> lru({.weight_max = 800, .shards = 8});
  for (std::uint64_t key = 0; key < 8000; ++key) lru.admit(key, 0, 1);
  CHECK(lru.evict_to_limit().size() == 7200);
  CHECK(lru.size() == 800);
  for (std::size_t shard = 0; shard < lru.shard_count(); ++shard) {
    CHECK(order(lru, shard).size() >= 50);
    CHECK(order(lru, shard).size() <= 150);
  }
}

TEST_CASE("Lru: finds the one item there is in many shards", "[lru]") {
  Lru<int> lru({.weight_max = 0, .shards = 64});
  for (std::uint64_t key = 0; key < 20; ++key) {
    lru.admit(key, 0, 1);
    CHECK(lru.evict_to_limit().size() == 1);
  }
}

TEST_CASE("Lru: zero shards are one", "[lru]") {
  Lru<int> lru({.weight_max = 1, .shards = 0});
  lru.admit(1, 1, 1);
  CHECK(lru.shard_count() == 1);
  CHECK(lru.size() == 1);
}

namespace {

// Calls back into the list when it dies: it would hang if a lock were held.
struct LooksWhenItDies {
  Lru<std::unique_ptr<LooksWhenItDies>>* lru = nullptr;
  ~LooksWhenItDies() { lru->contains(1); }
};

}  // namespace

TEST_CASE("Lru: values are destroyed without a lock", "[lru]") {
  using Value = std::unique_ptr<LooksWhenItDies>;
  auto make = [](Lru<Value>& lru) {
    auto value = std::make_unique<LooksWhenItDies>();
    value->lru = &lru;
    return value;
  };
  Lru<Value> lru({.weight_max = 0, .shards = 1});
  lru.admit(1, make(lru), 1);
  lru.admit(1, make(lru), 1);
  CHECK_FALSE(lru.insert_tail(1, make(lru), 1));
  lru.remove(1);
  lru.admit(2, make(lru), 1);
  CHECK(lru.evict_to_limit().size() == 1);
}

TEST_CASE("Lru: many threads at once", "[lru]") {
  Lru<std::string> lru({.weight_max = 200, .shards = 4});
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&lru, t] {
      for (std::uint64_t i = 0; i < 1000; ++i) {
        std::uint64_t key = (i * 7 + t * 13) % 300;
        lru.admit(key, std::to_string(key), 1 + key % 3);
        lru.promote((key * 3) % 300);
        lru.increment_weight(key, 1, 5);
        lru.peek(key, [key](const std::string& value, std::size_t) {
          if (value != std::to_string(key)) std::abort();
        });
        if (i % 5 == 0) lru.remove((key + 1) % 300);
        lru.evict_to_limit();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  lru.evict_to_limit();
  CHECK(lru.weight() <= 200);
  std::size_t items = 0;
  std::size_t weight = 0;
  for (std::size_t shard = 0; shard < lru.shard_count(); ++shard) {
    lru.for_each(shard, [&](std::uint64_t, const std::string&, std::size_t w) {
      ++items;
      weight += w;
    });
  }
  CHECK(items == lru.size());
  CHECK(weight == lru.weight());
}
