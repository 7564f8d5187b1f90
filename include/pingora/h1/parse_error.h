// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace pingora::h1 {

/// Why a message was refused. Made without allocating; two words and a number.
struct ParseError {
  /// What to answer a refused request with: 400, 414, 431, 501 or 505. For a response 502, or 431
  /// where its head is over a limit.
  std::uint16_t status = 0;
  /// For the log; static memory, nothing of the peer's in it.
  std::string_view reason;

  friend bool operator==(const ParseError&, const ParseError&) noexcept = default;
};

}  // namespace pingora::h1
