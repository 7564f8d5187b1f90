// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace pingora {

/// Whether what is written is the last of its message.
enum class EndOfStream : bool { No, Yes };

/// What is known of a body's length before it is there.
struct BodyLength {
  enum class Kind : std::uint8_t { None, Known, Unknown };
  Kind kind = Kind::None;
  std::uint64_t bytes = 0;  // if Known

  static constexpr BodyLength none() noexcept { return {}; }
  static constexpr BodyLength known(std::uint64_t bytes) noexcept { return {Kind::Known, bytes}; }
  static constexpr BodyLength unknown() noexcept { return {Kind::Unknown, 0}; }
  constexpr bool is_empty() const noexcept {
    return kind == Kind::None || (kind == Kind::Known && bytes == 0);
  }
};

}  // namespace pingora
