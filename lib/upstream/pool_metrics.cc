// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pool_metrics.h"

#include <array>
#include <cstdint>

#include "pingora/metrics/registry.h"

namespace pingora::internal {
namespace {

struct PoolEvent {
  Counter& counter;
  std::uint64_t ConnectionPoolStats::* count;
};

Counter& pool_counter(const char* event) {
  return Registry::global().counter("pingora_upstream_pool_total",
                                    "What the pools of idle upstream connections did.",
                                    {{"event", event}});
}

const std::array<PoolEvent, 6>& pool_events() {
  static const std::array<PoolEvent, 6> kEvents = {{
      {pool_counter("hit"), &ConnectionPoolStats::hits},
      {pool_counter("miss"), &ConnectionPoolStats::misses},
      {pool_counter("move"), &ConnectionPoolStats::moved},
      {pool_counter("discard"), &ConnectionPoolStats::discarded},
      {pool_counter("evict"), &ConnectionPoolStats::evicted},
      {pool_counter("expire"), &ConnectionPoolStats::expired},
  }};
  return kEvents;
}

Gauge& idle_connections() {
  static Gauge& gauge = Registry::global().gauge("pingora_upstream_idle_connections",
                                                 "Upstream connections kept for reuse.");
  return gauge;
}

}  // namespace

PoolMetrics::~PoolMetrics() { idle_connections().sub(static_cast<std::int64_t>(published_idle_)); }

void PoolMetrics::publish(const ConnectionPool& pool) {
  const ConnectionPoolStats stats = pool.stats();
  for (const PoolEvent& event : pool_events()) {
    // A hit that turned out to be dead is taken back, so that a count may seem to go down.
    if (stats.*event.count <= published_.*event.count) continue;
    event.counter.add(stats.*event.count - published_.*event.count);
    published_.*event.count = stats.*event.count;
  }
  const std::size_t idle = pool.size();
  idle_connections().add(static_cast<std::int64_t>(idle) -
                         static_cast<std::int64_t>(published_idle_));
  published_idle_ = idle;
}

}  // namespace pingora::internal
