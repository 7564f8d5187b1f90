// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace pingora::internal {

// Memory in a few sizes, from free lists of the calling thread. It may be given back on any thread.

inline constexpr std::size_t kPooledSizeMax = 1024;

/// `size` rounded up to what is pooled; sizes above `kPooledSizeMax` as they are. So are all under
/// AddressSanitizer, where nothing is kept, so that it sees every use of what is not there.
std::size_t pooled_size(std::size_t size) noexcept;
/// Memory of that rounded size, or null.
void* pool_take(std::size_t size) noexcept;
/// Gives it back.
void pool_give(void* memory, std::size_t size) noexcept;

}  // namespace pingora::internal
