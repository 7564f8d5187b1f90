// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pingora/base/error.h"
#include "pingora/net/socket_address.h"
#include "pingora/upstream/peer_options.h"

namespace pingora {

/// Whether a connection is encrypted.
enum class Tls : bool { No, Yes };

/// Where a request goes: an address or a name, the transport, and how to connect.
///
/// A value, made for each request: without rare options and long names it allocates nothing.
class HttpPeer {
 public:
  /// A peer at `address`, TCP or Unix. `sni` is the name that TLS asks for and verifies.
  explicit HttpPeer(SocketAddress address, Tls tls = Tls::No, std::string sni = {});
  /// "192.0.2.1:80", "[2001:db8::1]:80", "unix:/path", or "origin.example:80": a name is resolved
  /// when a connection is made, and is the `sni` unless one is given. Malformed text gives a peer
  /// to which every connection fails with InternalError; `parse` says so at once.
  explicit HttpPeer(std::string_view address, Tls tls = Tls::No, std::string sni = {});
  explicit HttpPeer(const char* address, Tls tls = Tls::No, std::string sni = {})
      : HttpPeer(std::string_view(address), tls, std::move(sni)) {}
  /// As the constructor; ConfigError if `address` is malformed.
  static Result<HttpPeer> parse(std::string_view address, Tls tls = Tls::No, std::string sni = {});

  /// The address; none if the peer has a name.
  const SocketAddress& address() const noexcept { return address_; }
  /// The name to resolve; empty if the peer has an address.
  const std::string& host_name() const noexcept { return host_name_; }
  /// Whether it has a Unix path, or an address or a name with a port other than 0.
  bool is_valid() const noexcept { return address_.is_unix() || port() != 0; }
  /// Of the address or behind the name; 0 for a Unix path.
  std::uint16_t port() const noexcept;
  /// Host and port as CONNECT names them.
  std::string authority() const;
  bool is_tls() const noexcept { return tls_ == Tls::Yes; }
  /// For logs: "192.0.2.1:80", "origin.example:443, tls".
  std::string to_string() const;

  std::string sni;
  /// Keeps connections of peers apart that are otherwise the same.
  std::uint64_t group_key = 0;
  PeerOptions options;

 private:
  SocketAddress address_;
  std::string host_name_;
  std::uint16_t name_port_ = 0;
  Tls tls_;
};

/// Who a peer is and how it is verified: what a pooled connection must agree with to be used.
///
/// Covers everything that is fixed when a connection is made: address or name, port, transport,
/// SNI, group key, and all of PeerOptions but the timeouts and the tracer. The hash finds
/// candidates; equality looks at all of it. Refers to the peer, which must outlive it.
class PeerKey {
 public:
  explicit PeerKey(const HttpPeer& peer) noexcept;
  /// With the hash that the key of an equal peer had.
  PeerKey(const HttpPeer& peer, std::size_t hash) noexcept
      : peer_(&peer), flags_(peer.options.identity_flags()), hash_(hash) {}

  std::size_t hash() const noexcept { return hash_; }
  friend bool operator==(const PeerKey& a, const PeerKey& b) noexcept;

 private:
  const HttpPeer* peer_;
  std::uint64_t flags_;
  std::size_t hash_;
};

}  // namespace pingora
