// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "h2/home.h"
#include "h2/home_image.h"

namespace pingora::h2 {

/// The memory of a connection's header compression: counted, and from free lists of the calling
/// thread. What nghttp2 allocates while encoder and decoder are made stays until the end, and is
/// put into the connection's home.
///
/// While the connection is idle, `put_away` keeps what the home holds in a fraction of its memory;
/// it must not be used before `bring_back`.
///
/// Allocating fails, and with it the connection, at `limit`; that is for what a single call could
/// use up, the engine's own checks come first.
class Memory {
 public:
  explicit Memory(std::size_t limit) noexcept;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory();

  /// For nghttp2; valid as long as this object.
  nghttp2_mem* callbacks() noexcept { return &callbacks_; }
  /// From now on nothing goes into the home.
  void close_home() noexcept { is_home_open_ = false; }
  /// Gives back what an idle connection does not need.
  void put_away() noexcept;
  bool is_away() const noexcept { return !image_.empty(); }
  void bring_back() noexcept {
    if (is_away()) restore();
  }
  /// Bytes in use, with what keeping account of them takes.
  std::size_t used() const noexcept { return used_; }

 private:
  struct InHome {
    char* begin = nullptr;
    std::size_t size = 0;
  };
  static constexpr std::size_t kInHomeMax = 8;

  void restore() noexcept;
  static void* allocate(std::size_t size, void* self);
  static void* allocate_zeroed(std::size_t count, std::size_t size, void* self);
  static void* reallocate(void* memory, std::size_t size, void* self);
  static void release(void* memory, void* self);

  void* allocate_in_home(std::size_t size) noexcept;
  bool is_in_home(const void* memory) const noexcept {
    return reinterpret_cast<std::uintptr_t>(memory) -
               reinterpret_cast<std::uintptr_t>(home_.begin) <
           Home::kSize;
  }
  const InHome* find_in_home(const void* memory) const noexcept;

  nghttp2_mem callbacks_;
  std::size_t used_ = 0;
  std::size_t limit_;
  const Home home_;
  char* free_;       // in the home, from here on
  HomeImage image_;  // of what is before it, while it is away
  bool is_home_open_;
  std::size_t in_home_count_ = 0;
  std::array<InHome, kInHomeMax> in_home_;
};

}  // namespace pingora::h2
