// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pingora/server/listening_service.h"

namespace pingora::internal {

/// Brings what one endpoint has counted into the registry, where it is summed up over all
/// that are published: `pingora_server_connections_total{event}`,
/// `pingora_server_pauses_total{reason}`, `pingora_server_handshakes_total{result}`, and the gauges
/// `pingora_server_open_connections` and `pingora_server_parked_connections`.
///
/// Belongs to one strand. Takes its part of the gauges back when it is destroyed.
class ServerMetrics {
 public:
  ServerMetrics() = default;
  ServerMetrics(const ServerMetrics&) = delete;
  ServerMetrics& operator=(const ServerMetrics&) = delete;
  ~ServerMetrics();

  void publish(const ListeningStats& stats);

 private:
  static constexpr std::size_t kEvents = 11;
  std::array<std::uint64_t, kEvents> published_{};
  std::size_t open_ = 0;
  std::size_t parked_ = 0;
};

}  // namespace pingora::internal
