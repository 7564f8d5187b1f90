// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pingora {

/// What happens to hop-by-hop fields, and those that Connection nominates, when a head is written.
enum class HopByHopPolicy : std::uint8_t {
  /// They are left out, as RFC 9110 §7.6.1 asks for.
  Strip,
  /// They pass, but for those that the connection and the framing are controlled with.
  Keep,
};

}  // namespace pingora
