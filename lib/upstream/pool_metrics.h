// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "pingora/upstream/connection_pool.h"

namespace pingora::internal {

/// Shows in the registry what a pool counts for itself, now and then: the fast path of a pool
/// touches no counter that others write.
///
/// `pingora_upstream_pool_total{event="hit|miss|move|discard|evict|expire"}` and
/// `pingora_upstream_idle_connections`, the sum over all pools that are published.
class PoolMetrics {
 public:
  PoolMetrics() = default;
  PoolMetrics(const PoolMetrics&) = delete;
  PoolMetrics& operator=(const PoolMetrics&) = delete;
  /// What this pool had idle is idle no more.
  ~PoolMetrics();

  void publish(const ConnectionPool& pool);

 private:
  ConnectionPoolStats published_;
  std::size_t published_idle_ = 0;
};

}  // namespace pingora::internal
