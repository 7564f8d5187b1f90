// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2/memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

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
      limit_(limit),
      home_(take_home()),
      free_(home_.begin),
      is_home_open_(home_.begin != nullptr) {}

Memory::~Memory() {
  if (home_.begin != nullptr) give_home(home_.begin);
}

void* Memory::allocate_in_home(std::size_t size) noexcept {
  if (!is_home_open_ || in_home_count_ == kInHomeMax) return nullptr;
  std::size_t aligned = (size + alignof(Header) - 1) / alignof(Header) * alignof(Header);
  if (aligned > static_cast<std::size_t>(home_.end() - free_)) return nullptr;
  char* place = std::exchange(free_, free_ + aligned);
  in_home_[in_home_count_++] = {place, aligned};
  used_ += aligned;
  return place;
}

const Memory::InHome* Memory::find_in_home(const void* memory) const noexcept {
  for (std::size_t i = 0; i < in_home_count_; ++i) {
    if (in_home_[i].begin == memory) return &in_home_[i];
  }
  return nullptr;
}

void Memory::put_away() noexcept {
  if (free_ == home_.begin || is_away()) return;
  image_ = HomeImage::of(home_.begin, static_cast<std::size_t>(free_ - home_.begin));
  if (is_away()) forget_contents(home_.begin);
}

void Memory::restore() noexcept {
  image_.restore(home_.begin);
  image_ = {};
}

void* Memory::allocate(std::size_t size, void* self) {
  auto& memory = *static_cast<Memory*>(self);
  if (size > memory.limit_) return nullptr;
  if (void* place = memory.allocate_in_home(size)) return place;
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
  auto& owner = *static_cast<Memory*>(self);
  const InHome* in_home = owner.is_in_home(memory) ? owner.find_in_home(memory) : nullptr;
  std::size_t room = in_home != nullptr ? in_home->size : header_of(memory)->total - sizeof(Header);
  if (size <= room && room - size < pingora::internal::kPooledSizeMax) return memory;
  void* other = allocate(size, self);
  if (other == nullptr) return nullptr;
  std::memcpy(other, memory, std::min(room, size));
  release(memory, self);
  return other;
}

void Memory::release(void* memory, void* self) {
  if (memory == nullptr) return;
  // What is in the home goes with it.
  if (static_cast<Memory*>(self)->is_in_home(memory)) return;
  Header* header = header_of(memory);
  std::size_t total = header->total;
  static_cast<Memory*>(self)->used_ -= total;
  pingora::internal::pool_give(header, total);
}

}  // namespace pingora::h2
