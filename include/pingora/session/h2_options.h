// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "pingora/h2/engine_options.h"

namespace pingora {

/// Limits and deadlines of HTTP/2 connections, those of sessions apart. Outlives each connection
/// that uses it. A duration of 0 is no deadline. What strikes is counted in
/// `pingora_session_limits_total{side="...",limit="h2_..."}`, under the name in brackets; what
/// EngineCounters has, in `pingora_h2_total{side="...",event="..."}`.
struct H2Options {
  using Milliseconds = std::chrono::milliseconds;

  /// Windows, streams, header lists, and the budgets against floods.
  h2::EngineOptions engine{};

  /// Requests on one connection, so that clients spread again now and then; 0 for any number. A
  /// server's; as many as those of many connections of HTTP/1. [requests_per_connection]
  std::uint32_t requests_per_connection_max = 1'000'000;

  /// For the peer's SETTINGS, which are the first that it sends. [settings_timeout]
  Milliseconds settings_timeout{10'000};
  /// How often a connection on which nothing came since is sent a PING; none by default.
  Milliseconds ping_interval{0};
  /// For the answer to it. Without one, the connection is given up. [ping_timeout]
  Milliseconds ping_timeout{10'000};
  /// From the first GOAWAY of a shutdown, which says that an end is near, to the second, behind
  /// which no stream is taken (RFC 9113 §6.8), if the peer does not answer sooner that it has read
  /// the first.
  Milliseconds goaway_grace{1'000};
  /// For the peer to read the last that we sent and to close.
  Milliseconds linger_timeout{1'000};
};

}  // namespace pingora
