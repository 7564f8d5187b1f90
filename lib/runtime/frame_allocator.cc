// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/runtime/frame_allocator.h"

#include <new>

#include "base/address_sanitizer.h"

namespace pingora::internal {
namespace {

struct Closer {
  ~Closer() { frame_lists.close(); }
};

}  // namespace

constinit thread_local FrameLists frame_lists;

void FrameLists::close() noexcept {
  limit_ = 0;
  for (std::size_t i = 0; i < kClasses; ++i) {
    while (void* memory = take(i)) ::operator delete(memory);
  }
}

void* FrameLists::allocate_new(std::size_t size) {
  if constexpr (!kHasAddressSanitizer) {
    // Once per thread: `limit_` is 0 again only when the thread is ending.
    thread_local Closer closer;
    thread_local bool is_open = [this] {
      // A connection of HTTP/2 has as many requests as that at once, and several of those end at
      // once.
      limit_ = 8 * kKeptMax;
      return true;
    }();
    static_cast<void>(closer);
    static_cast<void>(is_open);
  }
  return ::operator new(size);
}

void* frame_allocate_large(std::size_t size) { return ::operator new(size); }
void frame_free(void* memory) noexcept { ::operator delete(memory); }

}  // namespace pingora::internal
