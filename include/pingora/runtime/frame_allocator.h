// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pingora::internal {

/// Free lists of one thread, one for each multiple of 64 bytes up to 4 KiB. Trivially destructible:
/// it may be used until the thread is gone; what it keeps is freed by whoever owns the thread's
/// end.
class FrameLists {
 public:
  static constexpr std::size_t kClassSize = 64;
  static constexpr std::size_t kClasses = 64;
  static constexpr std::uint32_t kKeptMax = 128;  // per class, times 8

  static constexpr std::size_t class_of(std::size_t size) noexcept {
    return (size + kClassSize - 1) / kClassSize;
  }
  void* take(std::size_t index) noexcept {
    void* memory = heads_[index];
    if (memory == nullptr) return nullptr;
    std::memcpy(&heads_[index], memory, sizeof(void*));
    --counts_[index];
    return memory;
  }
  bool put(std::size_t index, void* memory) noexcept {
    if (counts_[index] >= limit_) return false;
    std::memcpy(memory, &heads_[index], sizeof(void*));
    heads_[index] = memory;
    ++counts_[index];
    return true;
  }
  /// From here on nothing is kept.
  void close() noexcept;
  /// Sees to it that `close` is called when the thread ends; the first `take` that finds nothing is
  /// the moment for it.
  void* allocate_new(std::size_t size);

 private:
  void* heads_[kClasses] = {};
  std::uint32_t counts_[kClasses] = {};
  std::uint32_t limit_ = 0;  // 8 kKeptMax once the end of the thread is taken care of
};

extern constinit thread_local FrameLists frame_lists;

void* frame_allocate_large(std::size_t size);
void frame_free(void* memory) noexcept;

/// Memory for coroutine frames and other short-lived objects of a connection: from the free lists
/// of the calling thread; larger pieces than 4 KiB come from the heap. May be given back on another
/// thread than the one that took it.
inline void* frame_allocate(std::size_t size) {
  std::size_t index = FrameLists::class_of(size);
  if (index >= FrameLists::kClasses) return frame_allocate_large(size);
  if (void* memory = frame_lists.take(index)) return memory;
  return frame_lists.allocate_new(index * FrameLists::kClassSize);
}
inline void frame_deallocate(void* memory, std::size_t size) noexcept {
  std::size_t index = FrameLists::class_of(size);
  if (index >= FrameLists::kClasses || !frame_lists.put(index, memory)) frame_free(memory);
}

/// Gives a class `operator new` and `operator delete` from these free lists.
struct FrameAllocated {
  static void* operator new(std::size_t size) { return frame_allocate(size); }
  static void operator delete(void* memory, std::size_t size) noexcept {
    frame_deallocate(memory, size);
  }
};

}  // namespace pingora::internal
