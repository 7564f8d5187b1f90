// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pingora/metrics/counter.h"

namespace pingora::internal {

/// How often each limit and deadline of sessions struck, in this process.
struct SessionMetrics {
  struct Downstream {
    Counter& first_request_timeout;
    Counter& keepalive_timeout;
    Counter& head_timeout;
    Counter& start_line;
    Counter& head;
    Counter& body_timeout;
    Counter& body_rate;
    Counter& body_bytes;
    Counter& write_timeout;
    Counter& tunnel_timeout;
    Counter& drain_bytes;
    Counter& drain_timeout;
    Counter& requests_per_connection;
  };
  struct Upstream {
    Counter& head;
    Counter& read_timeout;
    Counter& write_timeout;
    Counter& informational;
  };
  Downstream downstream;
  Upstream upstream;

  static SessionMetrics& get();
};

}  // namespace pingora::internal
