// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2/memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "base/pool.h"

namespace pingora::h2 {
namespace {

// Precedes each allocation. As wide as what malloc aligns to.
struct alignas(std::max_align_t) Header {
  std::size_t total;  // bytes of the allocation, this included
};

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
  std::size_t total = pingora::internal::pooled_size(size + sizeof(Header));
  if (total > memory.limit_ - std::min(memory.used_, memory.limit_)) return nullptr;
  void* place = pingora::internal::pool_take(total);
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
  if (size <= room && room - size < pingora::internal::kPooledSizeMax) return memory;
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
  pingora::internal::pool_give(header, total);
}

}  // namespace pingora::h2
