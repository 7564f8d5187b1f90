// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace pingora::internal {

/// Mixes numbers and texts into a hash whose low bits are good, in their order. Not keyed: for what
/// the program itself configures.
class HashMix {
 public:
  void add(std::uint64_t number) noexcept {
    state_ = (state_ ^ number) * 0x9E3779B97F4A7C15U;
    state_ ^= state_ >> 32;
  }
  void add(std::string_view text) noexcept { add(std::hash<std::string_view>()(text)); }
  std::size_t value() const noexcept { return state_; }

 private:
  std::uint64_t state_ = 0x2545F4914F6CDD1DU;
};

}  // namespace pingora::internal
