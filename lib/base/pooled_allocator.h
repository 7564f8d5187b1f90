// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <new>

#include "base/pool.h"

namespace pingora::internal {

/// For containers whose memory comes and goes with each request.
template <class T>
struct PooledAllocator {
  using value_type = T;
  /// So many fit into the largest piece that is pooled.
  static constexpr std::size_t kPooledMax = kPooledSizeMax / sizeof(T);

  PooledAllocator() noexcept = default;
  template <class Other>
  explicit PooledAllocator(const PooledAllocator<Other>&) noexcept {}

  T* allocate(std::size_t count) {
    void* memory = pool_take(pooled_size(count * sizeof(T)));
    return memory != nullptr ? static_cast<T*>(memory) : throw std::bad_alloc();
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    pool_give(memory, pooled_size(count * sizeof(T)));
  }
  friend bool operator==(const PooledAllocator&, const PooledAllocator&) noexcept { return true; }
};

}  // namespace pingora::internal
