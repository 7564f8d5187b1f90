// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/pooled.h"

#include <new>

#include "base/pool.h"

namespace pingora {

void* Pooled::operator new(std::size_t size) {
  void* memory = internal::pool_take(internal::pooled_size(size));
  return memory != nullptr ? memory : throw std::bad_alloc();
}

void Pooled::operator delete(void* memory, std::size_t size) noexcept {
  internal::pool_give(memory, internal::pooled_size(size));
}

}  // namespace pingora
