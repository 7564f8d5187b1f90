// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "h2_store.h"
#include "pingora/upstream/connection_pool.h"

namespace pingora::internal {

/// Shows in the registry what the pool and the store of a connector count for themselves, now and
/// then: their fast paths touch no counter that others write.
///
/// `pingora_upstream_pool_total{event="hit|miss|move|discard|evict|expire"}` and
/// `pingora_upstream_idle_connections`, of HTTP/1;
/// `pingora_upstream_h2_total{event="make|hit|wait|discard|evict|expire|fallback"}`,
/// `pingora_upstream_h2_connections` and `pingora_upstream_h2_idle_connections`, of HTTP/2. The
/// gauges are sums over all connectors that publish.
class PoolMetrics {
 public:
  PoolMetrics() = default;
  PoolMetrics(const PoolMetrics&) = delete;
  PoolMetrics& operator=(const PoolMetrics&) = delete;
  /// What this pool had idle is idle no more.
  ~PoolMetrics();

  void publish(const ConnectionPool& pool);
  void publish(const H2Store& store);

 private:
  ConnectionPoolStats published_;
  std::size_t published_idle_ = 0;
  H2StoreStats published_h2_;
  H2Store::Size published_h2_size_;
};

}  // namespace pingora::internal
