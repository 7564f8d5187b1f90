// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace pingora {

/// Gives a class that derives from it `operator new` and `operator delete` from free lists of the
/// calling thread: for objects that come and go with each request. They may be deleted on any
/// thread, as what they are: not through a pointer to a base.
struct Pooled {
  static void* operator new(std::size_t size);
  static void operator delete(void* memory, std::size_t size) noexcept;
};

}  // namespace pingora
