// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "pingora/base/error.h"

namespace pingora {

/// The address of a socket: IPv4 or IPv6 with a port, the path of a Unix socket, or none.
/// A value: copies are cheap, and comparing and hashing look at all of it.
class SocketAddress {
 public:
  enum class Family : std::uint8_t { None, Ipv4, Ipv6, Unix };

  SocketAddress() noexcept = default;
  /// "192.0.2.1:80", "[2001:db8::1]:80", or "unix:/path". A host name is no address.
  static Result<SocketAddress> parse(std::string_view text);
  static Result<SocketAddress> parse(std::string_view ip, std::uint16_t port);
  /// `path` of 1 to 107 bytes.
  static Result<SocketAddress> unix_path(std::string_view path);
  static SocketAddress from_sockaddr(const sockaddr* address, socklen_t size);

  Family family() const noexcept { return family_; }
  bool is_none() const noexcept { return family_ == Family::None; }
  bool is_ip() const noexcept { return family_ == Family::Ipv4 || family_ == Family::Ipv6; }
  bool is_unix() const noexcept { return family_ == Family::Unix; }
  /// 0 unless it is an IP address.
  std::uint16_t port() const noexcept;
  void set_port(std::uint16_t port) noexcept;
  /// The IP address alone, without brackets; the path of a Unix socket.
  std::string host() const;
  /// Room for the text of any IP address.
  using HostText = std::array<char, 46>;
  /// Writes an IP address as `host` gives it, without allocating; returns its size, 0 if it is
  /// none.
  std::size_t format_host(HostText& text) const noexcept;
  /// As `parse` takes it.
  std::string to_string() const;

  /// For system calls: fills `storage` and returns the size to pass along.
  socklen_t to_sockaddr(sockaddr_storage& storage) const noexcept;

  std::size_t hash() const noexcept;
  friend bool operator==(const SocketAddress& a, const SocketAddress& b) noexcept;

 private:
  Family family_ = Family::None;
  union Ip {
    sockaddr_in v4;
    sockaddr_in6 v6;
  } ip_{};
  std::shared_ptr<const std::string> path_;  // of a Unix socket; shared by copies
};

}  // namespace pingora

template <>
struct std::hash<pingora::SocketAddress> {
  std::size_t operator()(const pingora::SocketAddress& address) const noexcept {
    return address.hash();
  }
};
