// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/limits/estimator.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

using pingora::Estimator;
using pingora::LimitKey;

TEST_CASE("LimitKey: text of any kind and its parts", "[limits]") {
  std::string text = "192.0.2.1";
  CHECK(LimitKey(text).hash() == LimitKey("192.0.2.1").hash());
  CHECK(LimitKey(std::string_view(text)).hash() == LimitKey(text.c_str()).hash());
  std::set<std::uint64_t> hashes;
  std::string zeros(40, '\0');
  for (std::size_t size = 0; size <= zeros.size(); ++size) {
    hashes.insert(LimitKey(std::string_view(zeros).substr(0, size)).hash());
  }
  CHECK(hashes.size() == zeros.size() + 1);
}

TEST_CASE("LimitKey: integers by value, apart from text", "[limits]") {
  CHECK(LimitKey(7).hash() == LimitKey(7ULL).hash());
  CHECK(LimitKey(-1).hash() == LimitKey(UINT64_MAX).hash());
  CHECK(LimitKey(7).hash() != LimitKey("7").hash());
  CHECK(LimitKey(0).hash() != LimitKey(std::string(8, '\0')).hash());
  std::set<std::uint64_t> hashes;
  for (int i = 0; i < 10'000; ++i) hashes.insert(LimitKey(i).hash());
  CHECK(hashes.size() == 10'000);
}

TEST_CASE("LimitKey: every bit of the key reaches the high bits of the hash", "[limits]") {
  std::set<std::uint64_t> tops;
  for (unsigned bit = 0; bit < 64; ++bit) tops.insert(LimitKey(1ULL << bit).hash() >> 40);
  CHECK(tops.size() >= 63);
}

TEST_CASE("Estimator: counts up and down", "[limits]") {
  Estimator estimator;
  CHECK(estimator.get("a") == 0);
  CHECK(estimator.incr("a") == 1);
  CHECK(estimator.incr("a", 4) == 5);
  CHECK(estimator.incr("b", 2) == 2);
  CHECK(estimator.incr(std::uint64_t{5}, 3) == 3);
  estimator.decr("a", 2);
  CHECK(estimator.get("a") == 3);
  CHECK(estimator.get("b") == 2);
  CHECK(estimator.get("c") == 0);
  estimator.reset();
  CHECK(estimator.get("a") == 0);
}

TEST_CASE("Estimator: is never too low, and exact on the whole", "[limits]") {
  Estimator estimator({.hashes = 4, .slots = 1024});
  for (int key = 0; key < 500; ++key) estimator.incr(key, key + 1);
  int exact = 0;
  for (int key = 0; key < 500; ++key) {
    CHECK(estimator.get(key) >= key + 1);
    exact += estimator.get(key) == key + 1 ? 1 : 0;
  }
  // A key is wrong if it meets another in all four rows: 2 % of them.
  CHECK(exact > 400);
}

TEST_CASE("Estimator: of one slot counts everything together", "[limits]") {
  Estimator estimator({.hashes = 1, .slots = 1});
  estimator.incr("a");
  CHECK(estimator.get("b") == 1);
  Estimator empty({.hashes = 0, .slots = 0});
  CHECK(empty.incr("a") == 1);
}

TEST_CASE("Estimator: sketches do not mix keys up in the same way", "[limits]") {
  int met_in_both = 0;
  for (int i = 0; i < 2000; ++i) {
    Estimator first({.hashes = 1, .slots = 16});
    Estimator second({.hashes = 1, .slots = 16});
    first.incr("a");
    second.incr("a");
    met_in_both += first.get("b") == 1 && second.get("b") == 1 ? 1 : 0;
  }
  CHECK(met_in_both < 40);  // 2000 / 256 = 8 expected; 2000 / 16 = 125 if they were the same
}

TEST_CASE("Estimator: loses nothing to other threads", "[limits]") {
  Estimator estimator;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&estimator] {
      for (int i = 0; i < 1000; ++i) {
        estimator.incr("a", 2);
        estimator.decr("a", 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(estimator.get("a") == 4000);
}
