// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pingora::internal {

/// A random number of this process, the same at each call.
std::uint64_t process_secret() noexcept;

/// Spreads what differs in `value` and `key` over all bits of the result: the two halves of a full
/// multiplication, then a multiply and shift so that a factor of zero is no fixed point.
inline std::uint64_t mix(std::uint64_t value, std::uint64_t key) noexcept {
  auto product =
      static_cast<unsigned __int128>(value ^ 0x9e3779b97f4a7c15ULL) * (key ^ 0xd1b54a32d192ed03ULL);
  std::uint64_t folded =
      static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  folded = (folded ^ value ^ (folded >> 32)) * 0xff51afd7ed558ccdULL;
  return folded ^ (folded >> 29);
}

}  // namespace pingora::internal
