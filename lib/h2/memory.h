// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>

namespace pingora::h2 {

/// The memory that nghttp2 uses for one connection: counted, and from free lists of the calling
/// thread, because it allocates seven times for a request and its response.
///
/// Allocating fails, and with it the connection, at `limit`; that is for what a single call could
/// use up, the engine's own checks come first.
class Memory {
 public:
  explicit Memory(std::size_t limit) noexcept;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// For nghttp2; valid as long as this object.
  nghttp2_mem* callbacks() noexcept { return &callbacks_; }
  /// Bytes in use, with what keeping account of them takes.
  std::size_t used() const noexcept { return used_; }

 private:
  static void* allocate(std::size_t size, void* self);
  static void* allocate_zeroed(std::size_t count, std::size_t size, void* self);
  static void* reallocate(void* memory, std::size_t size, void* self);
  static void release(void* memory, void* self);

  nghttp2_mem callbacks_;
  std::size_t used_ = 0;
  std::size_t limit_;
};

}  // namespace pingora::h2
