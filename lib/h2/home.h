// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace pingora::h2 {

/// Address space for what nghttp2 holds from a connection's beginning to its end, laid out so that
/// few of its pages are ever touched: it has a buffer of 16 KiB for one frame, of which most frames
/// need the first hundred bytes, and a page for the table of streams, which is all zero while there
/// are none.
struct Home {
  static constexpr std::size_t kPageSize = 4096;
  static constexpr std::size_t kSize = 7 * kPageSize;

  char* begin = nullptr;  // null: there is none
  bool is_zero = false;

  /// All but the last page.
  char* end() const noexcept { return begin + kSize - kPageSize; }
  char* last_page() const noexcept { return end(); }
};

/// None under AddressSanitizer, which is to see every allocation. Any thread.
Home take_home() noexcept;
/// Gives it back, with its memory but for a few homes that are kept for the next connections.
void give_home(char* begin) noexcept;
/// Gives the memory of a page back if it is all zero: reading it again gives the same.
void forget_zero_page(char* page) noexcept;
/// Gives the memory of all but the last page back: they are zero from now on.
void forget_contents(char* begin) noexcept;

}  // namespace pingora::h2
