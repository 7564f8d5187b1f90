// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace pingora::internal {

/// Memory for coroutine frames and other short-lived objects of a connection: free lists of the
/// calling thread, one per 64 bytes of size, up to 4 KiB; larger pieces come from the heap. Memory
/// may be given back on another thread than the one that took it.
void* frame_allocate(std::size_t size);
void frame_deallocate(void* memory, std::size_t size) noexcept;

/// Gives a class `operator new` and `operator delete` from these free lists.
struct FrameAllocated {
  static void* operator new(std::size_t size) { return frame_allocate(size); }
  static void operator delete(void* memory, std::size_t size) noexcept {
    frame_deallocate(memory, size);
  }
};

}  // namespace pingora::internal
