// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "pingora/h2/engine_counters.h"
#include "pingora/metrics/counter.h"

namespace pingora::internal {

/// What happened on the HTTP/2 connections of one side, in this process:
/// `pingora_h2_total{side="...",event="..."}`, an event for each field of h2::EngineCounters.
class H2Metrics {
 public:
  static H2Metrics& downstream();
  static H2Metrics& upstream();

  void publish(const h2::EngineCounters& counters);
  /// Connections that the peer ended with an error.
  Counter& goaway_errors;
  /// How often a deadline of H2Connection struck, by the name that it gives:
  /// `pingora_session_limits_total{side="...",limit="h2_..."}`.
  static void count_limit(const char* side, std::string_view name);

 private:
  explicit H2Metrics(const char* side);
  std::vector<Counter*> events_;  // in the order of the fields; owned by the registry
};

}  // namespace pingora::internal
