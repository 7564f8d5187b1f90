// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "pingora/h1/parser_options.h"
#include "pingora/h1/serializer.h"
#include "pingora/session/hop_by_hop_policy.h"

namespace pingora {

/// Limits, deadlines and choices of client sessions. Outlives each exchange that uses it. A
/// duration of 0 is no deadline. What strikes is counted in
/// `pingora_session_limits_total{side="upstream",limit="..."}`, under the name in brackets.
struct ClientSessionOptions {
  using Milliseconds = std::chrono::milliseconds;

  /// Limits and leniencies of response heads and chunks. [head]
  h1::ParserOptions parser;
  /// For each read of the response. None by default: how long a server may think is for the one
  /// who knows it to say. [read_timeout]
  Milliseconds read_timeout{0};
  /// For the server to take 64 KiB of a request, or what there is. [write_timeout]
  Milliseconds write_timeout{0};
  /// 1xx responses before the final one; more is a flood. [informational]
  std::uint32_t informational_responses_max = 16;
  /// Protocols that a request may ask to change to, by Upgrade.
  std::vector<std::string> upgrade_protocols = {"websocket"};
  /// Whether hop-by-hop fields of the request reach the server.
  HopByHopPolicy hop_by_hop = HopByHopPolicy::Strip;
  /// Which form of an absolute-form target the server is sent.
  h1::WriteTarget target = h1::WriteTarget::Origin;
};

}  // namespace pingora
