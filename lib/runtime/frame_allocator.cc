// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/frame_allocator.h"

#include <array>
#include <cstring>
#include <new>

namespace pingora::internal {
namespace {

constexpr std::size_t kClassSize = 64;
constexpr std::size_t kClasses = 64;
constexpr std::size_t kKeptMax = 128;  // per class and thread

class FreeLists {
 public:
  ~FreeLists() {
    closed_ = true;
    for (std::size_t i = 0; i < kClasses; ++i) {
      while (void* memory = take(i)) ::operator delete(memory);
    }
  }
  void* take(std::size_t index) noexcept {
    void* memory = heads_[index];
    if (memory == nullptr) return nullptr;
    std::memcpy(&heads_[index], memory, sizeof(void*));
    --counts_[index];
    return memory;
  }
  bool put(std::size_t index, void* memory) noexcept {
    if (counts_[index] >= kKeptMax || closed_) return false;
    std::memcpy(memory, &heads_[index], sizeof(void*));
    heads_[index] = memory;
    ++counts_[index];
    return true;
  }

 private:
  std::array<void*, kClasses> heads_{};
  std::array<std::size_t, kClasses> counts_{};
  bool closed_ = false;
};

thread_local FreeLists free_lists;

constexpr std::size_t class_of(std::size_t size) { return (size + kClassSize - 1) / kClassSize; }

}  // namespace

void* frame_allocate(std::size_t size) {
  std::size_t index = class_of(size);
  if (index >= kClasses) return ::operator new(size);
  if (void* memory = free_lists.take(index)) return memory;
  return ::operator new(index * kClassSize);
}

void frame_deallocate(void* memory, std::size_t size) noexcept {
  std::size_t index = class_of(size);
  if (index >= kClasses || !free_lists.put(index, memory)) ::operator delete(memory);
}

}  // namespace pingora::internal
