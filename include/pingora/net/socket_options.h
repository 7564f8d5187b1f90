// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

#include "pingora/base/error.h"
#include "pingora/net/socket_address.h"

namespace pingora {

/// How the kernel finds out that the peer of a silent TCP connection is gone.
struct TcpKeepalive {
  std::chrono::seconds idle{60};      // of silence before the first probe
  std::chrono::seconds interval{60};  // between probes
  int count = 5;                      // unanswered probes that end the connection
  /// How long written bytes may stay unacknowledged (TCP_USER_TIMEOUT); 0: the kernel's default.
  std::chrono::milliseconds user_timeout{0};
};

/// Options of a connection's socket. Those that are not set stay as the system has them; those of
/// TCP are ignored for Unix sockets.
struct SocketOptions {
  /// Whether small writes go out at once (TCP_NODELAY).
  bool nodelay = true;
  std::optional<TcpKeepalive> keepalive{};
  /// Sizes of the kernel's buffers, in bytes; the kernel doubles them for its own bookkeeping and
  /// stops to tune them by itself.
  std::optional<int> receive_buffer_bytes{};
  std::optional<int> send_buffer_bytes{};
  /// The differentiated services code point of what is sent, 0 to 63.
  std::optional<int> dscp{};
};

/// Sets `options` on `fd`, a socket of `family`; on a listening one they hold for every connection
/// that it accepts. Where the reactor does not tell of the end of a stream, makes a TCP socket tell
/// with every read how much is left (TCP_INQ), for SocketStream. Errors: SocketError, saying which
/// option.
Result<void> set_socket_options(int fd, SocketAddress::Family family, const SocketOptions& options);

/// The address that `fd` is bound to; none if that cannot be told.
SocketAddress local_address_of(int fd);

}  // namespace pingora
