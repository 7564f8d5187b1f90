// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace pingora::h2 {

/// A page of its own for what header compression holds from a connection's beginning to its end, so
/// that it can be given back while the connection is idle.
struct Home {
  static constexpr std::size_t kSize = 4096;

  char* begin = nullptr;  // null: there is none
  bool is_zero = false;

  char* end() const noexcept { return begin + kSize; }
};

/// None under AddressSanitizer, which is to see every allocation. Any thread.
Home take_home() noexcept;
/// Gives it back, with its memory but for a few homes that are kept for the next connections.
void give_home(char* begin) noexcept;
/// Gives the memory of a home back, which is zero from now on.
void forget_contents(char* begin) noexcept;

}  // namespace pingora::h2
