// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pingora::internal {

/// The SHA-1 of `text`. Good for RFC 6455's handshake, where it protects nothing; for nothing else.
std::array<std::uint8_t, 20> sha1(std::string_view text) noexcept;

}  // namespace pingora::internal
