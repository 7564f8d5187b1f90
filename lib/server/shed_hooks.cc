// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/server/shed_hooks.h"

#include <utility>

namespace pingora {

void ShedHooks::add(Hook hook) {
  std::lock_guard lock(mutex_);
  hooks_.push_back(std::move(hook));
}

std::size_t ShedHooks::shed(std::size_t count) {
  std::lock_guard lock(mutex_);
  std::size_t closed = 0;
  for (const Hook& hook : hooks_) {
    if (closed >= count) break;
    closed += hook(count - closed);
  }
  return closed;
}

}  // namespace pingora
