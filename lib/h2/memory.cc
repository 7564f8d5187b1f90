// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2/memory.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace pingora::h2 {
namespace {

// Under AddressSanitizer nothing is kept, so that it sees every use of memory that is gone.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeeps = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif
#else
constexpr bool kKeeps = true;
#endif

// Precedes each allocation. As wide as what malloc aligns to.
struct alignas(std::max_align_t) Header {
  std::size_t total;  // bytes of the allocation, this included
};

// Totals are multiples of 64 up to 1 KiB: there most of what nghttp2 asks for is.
constexpr std::size_t kStep = 64;
constexpr std::size_t kClasses = 16;
constexpr std::size_t kKeptMax = 64;  // for each class: at most 544 KiB for a thread

// The free lists of a thread. Trivially destructible, as the memory of connections may be released
// until the very end of one.
struct FreeLists {
  struct List {
    void* head = nullptr;
    std::size_t count = 0;
  };
  std::array<List, kClasses> lists;
  std::size_t limit = 0;  // kKeptMax while the thread lives
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
    if (list.count >= limit) return false;
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
  if constexpr (kKeeps) {
    thread_local Closer closer;
    static_cast<void>(closer);
    limit = kKeptMax;
  }
}

// Rounded up to a class, if there is one for it.
std::size_t total_for(std::size_t size) noexcept {
  std::size_t total = size + sizeof(Header);
  return total <= kStep * kClasses ? (total + kStep - 1) / kStep * kStep : total;
}

Header* header_of(void* memory) noexcept { return static_cast<Header*>(memory) - 1; }

}  // namespace

Memory::Memory(std::size_t limit) noexcept
    : callbacks_{.mem_user_data = this,
                 .malloc = &allocate,
                 .free = &release,
                 .calloc = &allocate_zeroed,
                 .realloc = &reallocate},
      limit_(limit) {}

void* Memory::allocate(std::size_t size, void* self) {
  auto& memory = *static_cast<Memory*>(self);
  if (size > memory.limit_) return nullptr;
  std::size_t total = total_for(size);
  if (total > memory.limit_ - std::min(memory.used_, memory.limit_)) return nullptr;
  void* place = nullptr;
  if (total <= kStep * kClasses) {
    if (!free_lists.was_opened) free_lists.open();
    place = free_lists.take(total / kStep - 1);
  }
  if (place == nullptr) place = std::malloc(total);  // NOLINT(cppcoreguidelines-no-malloc)
  if (place == nullptr) return nullptr;
  memory.used_ += total;
  auto* header = new (place) Header{total};
  return header + 1;
}

void* Memory::allocate_zeroed(std::size_t count, std::size_t size, void* self) {
  if (size != 0 && count > std::numeric_limits<std::size_t>::max() / size) return nullptr;
  void* memory = allocate(count * size, self);
  if (memory != nullptr) std::memset(memory, 0, count * size);
  return memory;
}

void* Memory::reallocate(void* memory, std::size_t size, void* self) {
  if (memory == nullptr) return allocate(size, self);
  std::size_t room = header_of(memory)->total - sizeof(Header);
  if (size <= room && room - size < kStep * kClasses) return memory;
  void* other = allocate(size, self);
  if (other == nullptr) return nullptr;
  std::memcpy(other, memory, std::min(room, size));
  release(memory, self);
  return other;
}

void Memory::release(void* memory, void* self) {
  if (memory == nullptr) return;
  Header* header = header_of(memory);
  std::size_t total = header->total;
  static_cast<Memory*>(self)->used_ -= total;
  if (total <= kStep * kClasses && free_lists.put(total / kStep - 1, header)) return;
  std::free(header);  // NOLINT(cppcoreguidelines-no-malloc)
}

}  // namespace pingora::h2
