// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "pingora/h1/parser_options.h"
#include "pingora/session/h2_options.h"
#include "pingora/session/hop_by_hop_policy.h"

namespace pingora {

/// What it means that a client sends no more (FIN) behind its request.
enum class HalfClose : std::uint8_t {
  /// It has gone: the request is given up.
  IsGone,
  /// It may still be reading: the request is served to its end.
  KeepServing,
};

/// Limits, deadlines and choices of server sessions. One per listener; outlives its sessions. A
/// duration of 0 is no deadline. What strikes is counted in
/// `pingora_session_limits_total{side="downstream",limit="..."}`, under the name in brackets.
struct ServerSessionOptions {
  using Milliseconds = std::chrono::milliseconds;

  /// Limits and leniencies of heads and chunks. [start_line, head]
  h1::ParserOptions parser;

  /// From the connection to the first byte of a request. Closed without a word: browsers open
  /// connections that they may never use. [first_request_timeout]
  Milliseconds first_request_timeout{60'000};
  /// From one response to the first byte of the next request. Longer than most clients keep a
  /// connection, so that it is they who close. [keepalive_timeout]
  Milliseconds keepalive_timeout{60'000};
  /// From the first byte of a head to its last, however many reads that takes: 408. [head_timeout]
  Milliseconds head_timeout{30'000};
  /// Between two reads of a request's body. [body_timeout]
  Milliseconds body_read_timeout{60'000};
  /// Bytes of a body a second, over the time that was spent waiting for them; 0 for any. Slower
  /// than a modem, so that only those who mean it are hit. Does not count while a client waits for
  /// `100 Continue`. [body_rate]
  std::uint32_t body_rate_min = 240;
  /// How long a body may be slower than that at first.
  Milliseconds body_rate_grace{5'000};
  /// For the client to take 64 KiB of a response, or what there is. [write_timeout]
  Milliseconds write_timeout{60'000};
  /// Without a byte in either direction of a tunnel (websocket, CONNECT), of which one may have
  /// ended. [tunnel_timeout]
  Milliseconds tunnel_idle_timeout{3'600'000};

  /// What is read and dropped of a request's body behind the response, before the connection is
  /// closed instead. [drain_bytes, drain_timeout]
  std::size_t drain_bytes_max = 256 * 1024;
  Milliseconds drain_timeout{5'000};

  /// What is for HTTP/2 alone. Of the options above `parser` is not for it, nor are those of
  /// draining: what is left of a body is refused by a reset of the stream.
  H2Options h2{.engine = {.extended_connect = h2::ExtendedConnect::Yes}};

  /// Requests on one connection of HTTP/1, so that clients spread again now and then; 0 for any
  /// number. [requests_per_connection]
  std::uint32_t requests_per_connection_max = 10'000;
  /// A request's body: 413. 0 for any size: it is streamed, and the application knows better.
  /// [body_bytes]
  std::uint64_t body_bytes_max = 0;

  /// Protocols that a request may change to, by Upgrade.
  std::vector<std::string> upgrade_protocols = {"websocket"};
  HalfClose half_close = HalfClose::IsGone;
  /// Whether hop-by-hop fields of the application's responses reach the client.
  HopByHopPolicy hop_by_hop = HopByHopPolicy::Strip;
};

}  // namespace pingora
