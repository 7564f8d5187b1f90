// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace pingora::internal {

/// Reports a broken invariant of this library on standard error and aborts. Never called for what a
/// peer, a file or a user can cause.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace pingora::internal

/// Checks an invariant of our own, in release builds too. Peer input is never asserted on.
#define PINGORA_ASSERT(condition)     \
  (__builtin_expect(!!(condition), 1) \
       ? static_cast<void>(0)         \
       : ::pingora::internal::assertion_failed(#condition, __FILE__, __LINE__))

/// Checks an invariant that is too dear for release builds.
#ifdef NDEBUG
#define PINGORA_DEBUG_ASSERT(condition) static_cast<void>(sizeof(!(condition)))
#else
#define PINGORA_DEBUG_ASSERT(condition) PINGORA_ASSERT(condition)
#endif
