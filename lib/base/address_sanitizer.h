// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PINGORA_ADDRESS_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define PINGORA_ADDRESS_SANITIZER 1
#endif
#ifdef PINGORA_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace pingora::internal {

#ifdef PINGORA_ADDRESS_SANITIZER
/// Whether this is built with AddressSanitizer. Small memory is then not kept for the next use, so
/// that it sees every use of what is gone.
inline constexpr bool kHasAddressSanitizer = true;

/// Says that memory which is kept may not be touched, or may be again.
inline void poison(void* memory, std::size_t size) noexcept {
  __asan_poison_memory_region(memory, size);
}
inline void unpoison(void* memory, std::size_t size) noexcept {
  __asan_unpoison_memory_region(memory, size);
}
#else
inline constexpr bool kHasAddressSanitizer = false;
inline void poison(void* /*memory*/, std::size_t /*size*/) noexcept {}
inline void unpoison(void* /*memory*/, std::size_t /*size*/) noexcept {}
#endif

}  // namespace pingora::internal
