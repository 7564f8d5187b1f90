// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "pingora/net/socket_options.h"
#include "pingora/net/stream.h"

namespace pingora {

/// Local ports to connect from, both ends included.
struct PortRange {
  std::uint16_t low = 0;
  std::uint16_t high = 0;
  /// Whether to take any port rather than to fail when all of these are in use.
  bool falls_back = false;
};

struct ConnectOptions {
  SocketOptions socket{};
  TimePoint deadline = kNever;
  /// The local address to connect from; its port is usually 0. Not for Unix sockets.
  std::optional<SocketAddress> bind_address{};
  /// Needs a bind address of the peer's family with port 0, or none at all.
  std::optional<PortRange> port_range{};
  /// Sends the first bytes along with the SYN, to a peer that has allowed it before. The connection
  /// then counts as made at once, and its failure shows in the first read or write.
  bool fast_open = false;
  /// Called on the raw socket, with all options set and before it connects. An error ends the
  /// attempt.
  std::function<Result<void>(int fd)> on_socket{};
};

/// Connects to `address` in the strand of the caller, whose worker the stream then waits in.
/// A connection that is made at once, as on a Unix socket or within the host, does not suspend.
/// `options` must stay until this ends. Cancelling it closes the socket.
///
/// Errors: ConnectTimedout, ConnectRefused, ConnectNoRoute, ConnectError; BindError when no local
/// address or port is to be had; InternalError for what is wrong on this side.
Task<std::unique_ptr<Stream>> connect(SocketAddress address, const ConnectOptions& options);

/// What a connect that ended with `error_number` is called.
ErrorType connect_error_type(int error_number) noexcept;

}  // namespace pingora
