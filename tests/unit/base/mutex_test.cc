// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/mutex.h"

#include <catch2/catch.hpp>
#include <mutex>
#include <thread>
#include <vector>

TEST_CASE("Mutex: one holder at a time, and nobody sleeps for ever", "[base]") {
  pingora::Mutex mutex;
  long count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&mutex, &count] {
      for (int n = 0; n < 20000; ++n) {
        std::lock_guard lock(mutex);
        ++count;
        if (n % 64 == 0) std::this_thread::yield();  // while held: others have to wait
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(count == 80000);
}

TEST_CASE("Mutex: try_lock fails while it is held", "[base]") {
  pingora::Mutex mutex;
  std::unique_lock lock(mutex);
  CHECK_FALSE(mutex.try_lock());
  lock.unlock();
  REQUIRE(mutex.try_lock());
  mutex.unlock();
}
