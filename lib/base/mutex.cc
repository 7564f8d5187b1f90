// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/mutex.h"

namespace pingora {

void Mutex::wait_and_lock() noexcept {
  constexpr int kSpins = 64;  // about as long as the sections last
  for (int i = 0; i < kSpins; ++i) {
    if (try_lock()) return;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  while (state_.exchange(kContended, std::memory_order_acquire) != kFree) {
    state_.wait(kContended, std::memory_order_relaxed);
  }
}

}  // namespace pingora
