// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/snapshot.h"

namespace pingora::internal {

std::size_t snapshot_reader() noexcept {
  static std::atomic<std::size_t> next{0};
  static thread_local std::size_t mine =
      next.fetch_add(1, std::memory_order_relaxed) % kSnapshotReaders;
  return mine;
}

}  // namespace pingora::internal
