// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace pingora::internal {

/// Where a request is on its way through the proxy. The picture is in exchange.cc.
enum class Stage : std::uint8_t {
  EarlyRequestFilter,
  RequestModules,
  RequestFilter,
  ProxyUpstreamFilter,
  UpstreamPeer,
  Connect,
  SendRequest,
  Transfer,
  Tunnel,
  FailToProxy,
  Logging,
  End,
};

/// How a stage ended.
enum class Outcome : std::uint8_t {
  /// On with the next.
  Done,
  /// The request has been answered.
  Answered,
  /// It is to be tunnelled: CONNECT, with a connection that stands.
  Tunnel,
  /// It failed, and is to be tried again from choosing a peer.
  Retry,
  /// It failed for good.
  Failed,
};

/// The stage behind `stage`. Pure; the whole chart is in its test.
Stage next_stage(Stage stage, Outcome outcome) noexcept;

std::string_view to_string(Stage stage) noexcept;

}  // namespace pingora::internal
