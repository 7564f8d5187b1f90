// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "session/h2_metrics.h"

#include <string>

#include "pingora/metrics/registry.h"

namespace pingora::internal {
namespace {

Counter& event_counter(const char* side, const char* event) {
  return Registry::global().counter("pingora_h2_total", "What happened on HTTP/2 connections.",
                                    {{"side", side}, {"event", event}});
}

}  // namespace

H2Metrics::H2Metrics(const char* side) : goaway_errors(event_counter(side, "goaway_errors")) {
  h2::EngineCounters().for_each([&](const char* name, const char*, std::uint64_t) {
    events_.push_back(&event_counter(side, name));
  });
}

H2Metrics& H2Metrics::downstream() {
  static H2Metrics metrics("downstream");
  return metrics;
}

H2Metrics& H2Metrics::upstream() {
  static H2Metrics metrics("upstream");
  return metrics;
}

void H2Metrics::publish(const h2::EngineCounters& counters) {
  std::size_t index = 0;
  counters.for_each([&](const char*, const char*, std::uint64_t count) {
    Counter& counter = *events_[index++];
    if (count != 0) counter.add(count);
  });
}

void H2Metrics::count_limit(const char* side, std::string_view name) {
  Registry::global()
      .counter("pingora_session_limits_total", "How often a limit or deadline of sessions struck.",
               {{"side", side}, {"limit", "h2_" + std::string(name)}})
      .add();
}

}  // namespace pingora::internal
