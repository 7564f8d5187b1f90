// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "session/session_metrics.h"

#include "pingora/metrics/registry.h"

namespace pingora::internal {
namespace {

Counter& limit(const char* side, const char* name) {
  return Registry::global().counter("pingora_session_limits_total",
                                    "How often a limit or deadline of sessions struck.",
                                    {{"side", side}, {"limit", name}});
}
Counter& down(const char* name) { return limit("downstream", name); }
Counter& up(const char* name) { return limit("upstream", name); }

}  // namespace

SessionMetrics& SessionMetrics::get() {
  static SessionMetrics metrics{
      .downstream = {.first_request_timeout = down("first_request_timeout"),
                     .keepalive_timeout = down("keepalive_timeout"),
                     .head_timeout = down("head_timeout"),
                     .start_line = down("start_line"),
                     .head = down("head"),
                     .body_timeout = down("body_timeout"),
                     .body_rate = down("body_rate"),
                     .body_bytes = down("body_bytes"),
                     .write_timeout = down("write_timeout"),
                     .tunnel_timeout = down("tunnel_timeout"),
                     .drain_bytes = down("drain_bytes"),
                     .drain_timeout = down("drain_timeout"),
                     .requests_per_connection = down("requests_per_connection")},
      .upstream = {.head = up("head"),
                   .read_timeout = up("read_timeout"),
                   .write_timeout = up("write_timeout"),
                   .informational = up("informational")},
  };
  return metrics;
}

}  // namespace pingora::internal
