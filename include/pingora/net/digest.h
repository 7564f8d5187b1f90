// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <any>
#include <memory>
#include <string>

#include "pingora/base/clock.h"
#include "pingora/net/socket_address.h"

namespace pingora {

/// What a TLS handshake agreed on, and whom with.
struct SslDigest {
  std::string version;      // "TLSv1.3"
  std::string cipher;       // the standard name
  std::string alpn;         // "" if none was agreed on
  std::string server_name;  // SNI
  bool is_resumed = false;
  bool has_early_data = false;  // what came first can be replayed: see Stream::may_be_replayed
  std::string subject;          // of the peer's certificate; these four are empty without one
  std::string organization;
  std::string serial_number;
  std::string certificate_sha256;  // 32 bytes
  std::any extension;              // what a handshake callback kept here
};

/// What is known of a connection, for phases, logs and decisions. Complete once the connection is
/// established; constant from then on. The address of this end costs a system call: see
/// Stream::local_address.
struct Digest {
  SocketAddress peer_address;  // the other end
  TimePoint established{};
  /// Null without TLS. Shared with whoever keeps it longer than the connection.
  std::shared_ptr<const SslDigest> ssl;
};

}  // namespace pingora
