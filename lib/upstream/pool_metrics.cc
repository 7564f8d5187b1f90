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

struct H2Event {
  Counter& counter;
  std::uint64_t H2StoreStats::* count;
};

Counter& h2_counter(const char* event) {
  return Registry::global().counter("pingora_upstream_h2_total",
                                    "What became of requests for HTTP/2 upstream connections.",
                                    {{"event", event}});
}

const std::array<H2Event, 7>& h2_events() {
  static const std::array<H2Event, 7> kEvents = {{
      {h2_counter("make"), &H2StoreStats::made},
      {h2_counter("hit"), &H2StoreStats::hits},
      {h2_counter("wait"), &H2StoreStats::waits},
      {h2_counter("discard"), &H2StoreStats::discarded},
      {h2_counter("evict"), &H2StoreStats::evicted},
      {h2_counter("expire"), &H2StoreStats::expired},
      {h2_counter("fallback"), &H2StoreStats::fallbacks},
  }};
  return kEvents;
}

Gauge& h2_connections() {
  static Gauge& gauge = Registry::global().gauge(
      "pingora_upstream_h2_connections", "HTTP/2 upstream connections that take further requests.");
  return gauge;
}

Gauge& h2_idle_connections() {
  static Gauge& gauge = Registry::global().gauge(
      "pingora_upstream_h2_idle_connections", "HTTP/2 upstream connections that carry no request.");
  return gauge;
}

void change(Gauge& gauge, std::size_t& published, std::size_t now) {
  gauge.add(static_cast<std::int64_t>(now) - static_cast<std::int64_t>(published));
  published = now;
}

}  // namespace

PoolMetrics::~PoolMetrics() {
  change(idle_connections(), published_idle_, 0);
  change(h2_connections(), published_h2_size_.connections, 0);
  change(h2_idle_connections(), published_h2_size_.idle, 0);
}

void PoolMetrics::publish(const ConnectionPool& pool) {
  const ConnectionPoolStats stats = pool.stats();
  for (const PoolEvent& event : pool_events()) {
    // A hit that turned out to be dead is taken back, so that a count may seem to go down.
    if (stats.*event.count <= published_.*event.count) continue;
    event.counter.add(stats.*event.count - published_.*event.count);
    published_.*event.count = stats.*event.count;
  }
  change(idle_connections(), published_idle_, pool.size());
}

void PoolMetrics::publish(const H2Store& store) {
  const H2StoreStats stats = store.stats();
  for (const H2Event& event : h2_events()) {
    event.counter.add(stats.*event.count - published_h2_.*event.count);
  }
  published_h2_ = stats;
  const H2Store::Size size = store.size();
  change(h2_connections(), published_h2_size_.connections, size.connections);
  change(h2_idle_connections(), published_h2_size_.idle, size.idle);
}

}  // namespace pingora::internal
