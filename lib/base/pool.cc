// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <array>
#include <cstdlib>
#include <cstring>

#include "base/address_sanitizer.h"

namespace pingora::internal {
namespace {

constexpr bool kKeeps = !kHasAddressSanitizer;

// Multiples of 64 bytes.
constexpr std::size_t kStep = 64;
constexpr std::size_t kClasses = kPooledSizeMax / kStep;
// For each class: hundreds of streams may end at once, each with several pieces of the same one.
// At most 4 MiB for a thread.
constexpr std::size_t kKeptBytesMax = 256 * 1024;

// The free lists of a thread. Trivially destructible, as memory may be given back until the very
// end of one.
struct FreeLists {
  struct List {
    void* head = nullptr;
    std::size_t count = 0;
  };
  std::array<List, kClasses> lists;
  std::size_t limit = 0;  // in steps: kKeptBytesMax while the thread lives
  bool was_opened = false;

  void* take(std::size_t index) noexcept {
    List& list = lists[index];
    void* memory = list.head;
    if (memory == nullptr) return nullptr;
    std::memcpy(&list.head, memory, sizeof list.head);
    --list.count;
    return memory;
  }
  bool put(std::size_t index, void* memory) noexcept {
    List& list = lists[index];
    if (list.count * (index + 1) >= limit) return false;
    std::memcpy(memory, &list.head, sizeof list.head);
    list.head = memory;
    ++list.count;
    return true;
  }
  void open() noexcept;
  void close() noexcept {
    limit = 0;
    for (std::size_t i = 0; i < kClasses; ++i) {
      while (void* memory = take(i)) std::free(memory);
    }
  }
};

constinit thread_local FreeLists free_lists;

struct Closer {
  ~Closer() { free_lists.close(); }
};

void FreeLists::open() noexcept {
  was_opened = true;
  thread_local Closer closer;
  static_cast<void>(closer);
  limit = kKeptBytesMax / kStep;
}

}  // namespace

std::size_t pooled_size(std::size_t size) noexcept {
  return kKeeps && size <= kPooledSizeMax ? (size + kStep - 1) / kStep * kStep : size;
}

void* pool_take(std::size_t size) noexcept {
  if (kKeeps && size <= kPooledSizeMax) {
    if (!free_lists.was_opened) free_lists.open();
    if (void* memory = free_lists.take(size / kStep - 1)) return memory;
  }
  return std::malloc(size);  // NOLINT(cppcoreguidelines-no-malloc)
}

void pool_give(void* memory, std::size_t size) noexcept {
  if (kKeeps && size <= kPooledSizeMax && free_lists.put(size / kStep - 1, memory)) return;
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc)
}

}  // namespace pingora::internal
